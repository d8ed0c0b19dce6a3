import type { Work } from '../database.js'
import { RefusedError } from '../errors.js'
import type { Member } from './chat.service.js'

export type Device =
  | { channel: 'web'; address: string; p256dh: string; auth: string }
  | { channel: 'fcm'; address: string; kind: 'token' | 'fid' }
  | { channel: 'apns'; address: string; environment: 'production' | 'sandbox' }

type Address = Pick<Device, 'channel' | 'address'>

/** The same device may come again, with another user too, and after it was disabled. */
export async function registerDevice({ db }: Work, { tenantId, userId }: Member, device: Device): Promise<void> {
  await db.query(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth, address_kind, environment)
     SELECT $1, $2, channel, address, p256dh, auth, coalesce(kind, 'token'), coalesce(environment, 'production')
     FROM json_to_record($3) AS d(channel text, address text, p256dh text, auth text, kind text, environment text)
     ON CONFLICT (tenant_id, channel, address) DO UPDATE
     SET user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,
       address_kind = excluded.address_kind, environment = excluded.environment,
       registered_at = now(), disabled_at = NULL, disabled_reason = NULL`,
    [tenantId, userId, device],
  )
}

/** A browser has renewed its subscription. The old one is taken away if it is the user's own. */
export async function replaceDevice(work: Work, owner: Member, device: Device, oldAddress?: string): Promise<void> {
  await registerDevice(work, owner, device)
  if (oldAddress === undefined || oldAddress === device.address) return
  await deleteDevice(work, owner, { channel: device.channel, address: oldAddress })
}

/** @throws RefusedError if it is not there, or not this user's */
export async function removeDevice(work: Work, owner: Member, address: Address): Promise<void> {
  if (!(await deleteDevice(work, owner, address))) throw new RefusedError(404, 'There is no such device')
}

async function deleteDevice({ db }: Work, { tenantId, userId }: Member, { channel, address }: Address) {
  const { rowCount } = await db.query(
    'DELETE FROM push.devices WHERE tenant_id = $1 AND user_id = $2 AND channel = $3 AND address = $4',
    [tenantId, userId, channel, address],
  )
  return rowCount === 1
}

export async function listDevices({ db }: Work, { tenantId, userId }: Member) {
  const { rows } = await db.query<Address & { disabledReason: string | null }>(
    `SELECT channel, address, disabled_reason AS "disabledReason" FROM push.devices
     WHERE tenant_id = $1 AND user_id = $2 ORDER BY id`,
    [tenantId, userId],
  )
  return rows
}
