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
  const { tenantId = 42, userId = 'user-1', channel = 'web', address, p256dh = null, auth = null } = registration
  const { addressKind = 'token', environment = 'production' } = registration
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address, address_kind, environment, p256dh, auth)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
    [tenantId, userId, channel, address, addressKind, environment, p256dh, auth],
  )
  if (!row) throw new Error('Expected the id of the device, found no row')
  return row.id
}
