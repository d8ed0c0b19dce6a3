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
   * what became of them has to be recorded too. The same order each time: the message may come back for some of them. `usersWithout` counts the users who have none of either.
   * @throws DeferError or RetryableError if the database could not be asked
   */
  findDevices(query: DeviceQuery): Promise<{ devices: Device[]; usersWithout: number }>
  /**
   * Resolves with whether it is disabled by this. Does nothing to a device that was registered anew since it was read.
   * @throws DeferError or RetryableError if the database could not be asked
   */
  disableDevice(device: Device, reason: DisableReason): Promise<boolean>
  /**
   * Counts a notification that was refused for the device, and disables it, `refused`, at `refusalsToDisable` in a row.
   * Resolves with whether that is so now. Does nothing to a device that was registered anew since it was read.
   * @throws DeferError or RetryableError if the database could not be asked
   */
  countRefusal(device: Device): Promise<boolean>
  /** The next refusal is the first. @throws DeferError or RetryableError if the database could not be asked */
  clearRefusals(device: Device): Promise<void>
}

/** So many notifications in a row show that it was no accident, and are few enough not to annoy the push service. */
const refusalsToDisable = 5

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
    async disableDevice(device, reason) {
      return (await query(database, disableSql, [...toRegistration(device), reason])).length > 0
    },
    async countRefusal(device) {
      const rows = await query(database, countRefusalSql, [...toRegistration(device), refusalsToDisable])
      return (rows as { is_disabled: boolean }[]).some(({ is_disabled }) => is_disabled)
    },
    async clearRefusals({ id }) {
      await query(database, 'UPDATE push.devices SET refusals = 0 WHERE id = $1', [id])
    },
  }
}

interface DeviceRow {
  id: string
  user_id: string
  channel: Channel
  address: string
  address_kind: Device['addressKind']
  environment: Device['environment']
  registered_at: string
  p256dh: string | null
  auth: string | null
  is_disabled: boolean
  refusals: number
}

/** As text: a `Date` has no microseconds, and JSON's form does not depend on settings of the session. */
const registeredAt = `to_json(coalesce(registered_at, device.created_at)) #>> '{}' AS registered_at`

const columns = `
  device.id, user_id, channel, address, address_kind, environment, ${registeredAt}, p256dh, auth, refusals`

const findSql = `
  SELECT ${columns}, false AS is_disabled
  FROM push.devices AS device
  WHERE tenant_id = $1 AND user_id = ANY($2::text[]) AND channel = ANY($3::text[]) AND disabled_at IS NULL
  UNION ALL
  SELECT ${columns}, true
  FROM push.deliveries AS delivery JOIN push.devices AS device ON device.id = delivery.device_id
  WHERE delivery.tenant_id = $1 AND message_id = $4 AND disabled_at IS NOT NULL
  ORDER BY id`

const isUnchanged = `
  id = $1 AND disabled_at IS NULL
    AND address = $2 AND p256dh IS NOT DISTINCT FROM $3 AND auth IS NOT DISTINCT FROM $4
    AND coalesce(registered_at, created_at) = $5::timestamptz`

const disableSql = `UPDATE push.devices SET disabled_at = now(), disabled_reason = $6 WHERE ${isUnchanged} RETURNING id`

// A device that is disabled begins anew when it is registered again.
const countRefusalSql = `
  UPDATE push.devices SET
    refusals = CASE WHEN refusals + 1 < $6::integer THEN refusals + 1 ELSE 0 END,
    disabled_at = CASE WHEN refusals + 1 < $6::integer THEN NULL ELSE now() END,
    disabled_reason = CASE WHEN refusals + 1 < $6::integer THEN NULL ELSE 'refused' END
  WHERE ${isUnchanged}
  RETURNING disabled_at IS NOT NULL AS is_disabled`

async function query(database: Database, sql: string, values: unknown[]): Promise<unknown[]> {
  try {
    return (await database.query(sql, values)).rows
  } catch (error) {
    throw toDatabaseError(error)
  }
}

/** The values that `isUnchanged` compares. */
function toRegistration({ id, address, p256dh, auth, registeredAt }: Device): unknown[] {
  return [id, address, p256dh, auth, registeredAt]
}

function toDevice({ address_kind, registered_at, is_disabled, user_id: _user, ...row }: DeviceRow): Device {
  return { ...row, addressKind: address_kind, registeredAt: registered_at, isDisabled: is_disabled }
}
