import type { TestDatabase } from '@mono/test-support'

export interface Registration {
  tenantId?: number
  userId?: string
  channel?: 'web' | 'fcm' | 'apns'
  address: string
  addressKind?: 'token' | 'fid'
  environment?: 'production' | 'sandbox'
  p256dh?: string | null
  auth?: string | null
}

/** As the application does it; resolves with the device's id. */
export async function registerDevice(database: TestDatabase, registration: Registration): Promise<string> {
  const [id] = await registerDevices(database, [registration])
  if (id === undefined) throw new Error('Expected the id of the device, found no row')
  return id
}

/** Any number at once; resolves with their ids, in order. */
export async function registerDevices(
  database: TestDatabase,
  registrations: readonly Registration[],
): Promise<string[]> {
  const rows = registrations.map(({ tenantId, userId, channel, address, addressKind, environment, p256dh, auth }) => ({
    tenant_id: tenantId ?? 42,
    user_id: userId ?? 'user-1',
    channel: channel ?? 'web',
    address,
    address_kind: addressKind ?? 'token',
    environment: environment ?? 'production',
    p256dh: p256dh ?? null,
    auth: auth ?? null,
  }))
  const names = 'tenant_id, user_id, channel, address, address_kind, environment, p256dh, auth'
  const inserted = await database.query<{ id: string }>(
    `INSERT INTO push.devices (${names})
     SELECT ${names} FROM json_populate_recordset(NULL::push.devices, $1) WITH ORDINALITY ORDER BY ordinality
     RETURNING id`,
    [JSON.stringify(rows)],
  )
  return inserted.map(({ id }) => id)
}
