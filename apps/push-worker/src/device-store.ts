import { toDatabaseError } from '@mono/worker-runtime'
import type { Channel, Device, DisableReason } from './device.js'

export interface DeviceQuery {
  tenantId: number
  messageId: string
  userIds: readonly string[]
  channels: readonly Channel[]
}

export interface DeviceStore {
  /**
   * The enabled devices of the users, and those that this message was tried on before and that were disabled since:
   * what became of them has to be recorded too. `usersWithout` counts the users who have none of either.
   * @throws DeferError or RetryableError if the database could not be asked
   */
  findDevices(query: DeviceQuery): Promise<{ devices: Device[]; usersWithout: number }>
  /**
   * Does nothing to a device that was registered anew since it was read.
   * @throws DeferError or RetryableError if the database could not be asked
   */
  disableDevice(device: Device, reason: DisableReason): Promise<void>
}

/** The part of a `pg` pool that this worker's own queries use. */
export interface Database {
  query(sql: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

export function createDeviceStore(database: Database): DeviceStore {
  return {
    async findDevices({ tenantId, messageId, userIds, channels }) {
      const rows = (await query(database, findSql, [tenantId, userIds, channels, messageId])) as DeviceRow[]
      const found = new Set(rows.map(({ user_id }) => user_id))
      const usersWithout = new Set(userIds.filter((userId) => !found.has(userId))).size
      return { devices: rows.map(toDevice), usersWithout }
    },
    async disableDevice({ id, address, p256dh, auth }, reason) {
      await query(database, disableSql, [id, address, p256dh, auth, reason])
    },
  }
}

interface DeviceRow {
  id: string
  user_id: string
  channel: Channel
  address: string
  p256dh: string | null
  auth: string | null
  is_disabled: boolean
}

const findSql = `
  SELECT id, user_id, channel, address, p256dh, auth, false AS is_disabled
  FROM push.devices
  WHERE tenant_id = $1 AND user_id = ANY($2::text[]) AND channel = ANY($3::text[]) AND disabled_at IS NULL
  UNION ALL
  SELECT device.id, user_id, channel, address, p256dh, auth, true
  FROM push.deliveries AS delivery JOIN push.devices AS device ON device.id = delivery.device_id
  WHERE delivery.tenant_id = $1 AND message_id = $4 AND disabled_at IS NOT NULL`

const disableSql = `
  UPDATE push.devices SET disabled_at = now(), disabled_reason = $5
  WHERE id = $1 AND disabled_at IS NULL
    AND address = $2 AND p256dh IS NOT DISTINCT FROM $3 AND auth IS NOT DISTINCT FROM $4`

async function query(database: Database, sql: string, values: unknown[]): Promise<unknown[]> {
  try {
    return (await database.query(sql, values)).rows
  } catch (error) {
    throw toDatabaseError(error)
  }
}

function toDevice({ id, channel, address, p256dh, auth, is_disabled }: DeviceRow): Device {
  return { id, channel, address, p256dh, auth, isDisabled: is_disabled }
}
