import type { ClientBase } from 'pg'
import { NotFoundError } from '../errors.js'

export type Device =
  | { channel: 'web'; address: string; p256dh: string; auth: string }
  | { channel: 'fcm'; address: string; kind: 'token' | 'fid' }
  | { channel: 'apns'; address: string; environment: 'production' | 'sandbox' }

export interface Owner {
  tenantId: number
  userId: string
}

export function createDevices(client: ClientBase) {
  return {
    /** The same device may come again, with another user too, and after it was disabled. */
    async register({ tenantId, userId }: Owner, device: Device): Promise<void> {
      const { channel, address } = device
      const web = device.channel === 'web' ? device : undefined
      await client.query(
        `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth, address_kind, environment)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, channel, address) DO UPDATE
         SET user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,
           address_kind = excluded.address_kind, environment = excluded.environment,
           registered_at = now(), disabled_at = NULL, disabled_reason = NULL`,
        [
          tenantId,
          userId,
          channel,
          address,
          web?.p256dh ?? null,
          web?.auth ?? null,
          device.channel === 'fcm' ? device.kind : 'token',
          device.channel === 'apns' ? device.environment : 'production',
        ],
      )
    },
    /** @throws NotFoundError if it is not there, or not this user's */
    async remove(
      { tenantId, userId }: Owner,
      { channel, address }: Pick<Device, 'channel' | 'address'>,
    ): Promise<void> {
      const { rowCount } = await client.query(
        'DELETE FROM push.devices WHERE tenant_id = $1 AND user_id = $2 AND channel = $3 AND address = $4',
        [tenantId, userId, channel, address],
      )
      if (rowCount === 0) throw new NotFoundError('There is no such device')
    },
    async list({ tenantId, userId }: Owner) {
      const { rows } = await client.query<{
        channel: Device['channel']
        address: string
        disabledReason: string | null
      }>(
        `SELECT channel, address, disabled_reason AS "disabledReason" FROM push.devices
         WHERE tenant_id = $1 AND user_id = $2 ORDER BY id`,
        [tenantId, userId],
      )
      return rows
    },
  }
}
