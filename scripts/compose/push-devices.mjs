// @ts-check
import { pushUsers, tenantId } from '../../chaos/messages.mjs'

/**
 * One device of the push service for each user.
 * @param {string} pushUrl
 * @param {(sql: string, params: unknown[]) => Promise<unknown>} query
 */
export async function addPushDevices(pushUrl, query) {
  for (const user of pushUsers) {
    const device = /** @type {any} */ (await (await fetch(`${pushUrl}/subscribe`, { method: 'POST' })).json())
    await query(
      `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth) VALUES ($1, $2, 'web', $3, $4, $5)`,
      [tenantId, user, device.endpoint, device.p256dh, device.auth],
    )
  }
}
