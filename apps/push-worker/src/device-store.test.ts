import { DeferError } from '@mono/message-queue'
import { expect, test } from 'vitest'
import { createDeviceStore } from './device-store.js'

const query = { tenantId: 42, messageId: 'm', userIds: ['ada', 'bob', 'bob'], channels: ['web'] as const }

const row = (fields: object = {}) => ({
  id: '1',
  user_id: 'ada',
  channel: 'web',
  address: 'https://push.example.com/a',
  address_kind: 'token',
  environment: 'production',
  registered_at: '2026-11-01T00:00:00.000001+00:00',
  p256dh: 'key',
  auth: 'secret',
  is_disabled: false,
  refusals: 0,
  ...fields,
})

const storeOf = (rows: object[]) => createDeviceStore({ query: async () => ({ rows }) })

test('users without a device are counted, each once', async () => {
  expect(await storeOf([row(), row({ id: '2' })]).findDevices(query)).toMatchObject({ usersWithout: 1 })
  expect(await storeOf([]).findDevices(query)).toEqual({ devices: [], usersWithout: 2 })
})

test('a database that cannot be asked defers', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const store = createDeviceStore({ query: () => Promise.reject(refused) })
  await expect(store.findDevices(query)).rejects.toBeInstanceOf(DeferError)
})
