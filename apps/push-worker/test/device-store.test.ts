import { migrate, type TestDatabase, test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createDeviceStore } from '../src/device-store.js'
import { registerDevice } from './support/register-device.js'

test.beforeEach(async ({ database }) => {
  await migrate('push-worker', database.url)
})

const open = (database: TestDatabase) => createDeviceStore(database.createPool())

const query = { tenantId: 42, messageId: 'message-1', userIds: ['ada', 'bob', 'nobody'], channels: ['web'] as const }

const disable = (database: TestDatabase, id: string) =>
  database.query('UPDATE push.devices SET disabled_at = now() WHERE id = $1', [id])

const record = (database: TestDatabase, id: string, messageId = 'message-1') =>
  database.query(
    "INSERT INTO push.deliveries (tenant_id, message_id, device_id, state, attempts) VALUES (42, $1, $2, 'retry', 1)",
    [messageId, id],
  )

describe('findDevices', () => {
  test('gives the enabled devices of the users, of these channels and this tenant only', async ({ database }) => {
    const ada = await registerDevice(database, { userId: 'ada', address: 'a1', p256dh: 'key', auth: 'secret' })
    const adas = await registerDevice(database, { userId: 'ada', address: 'a2' })
    const bobs = await registerDevice(database, { userId: 'bob', address: 'b1' })
    await registerDevice(database, { userId: 'carol', address: 'c1' })
    await registerDevice(database, { userId: 'ada', address: 'a3', tenantId: 43 })
    await registerDevice(database, { userId: 'ada', address: 'a4', channel: 'fcm' })
    await disable(database, await registerDevice(database, { userId: 'ada', address: 'a5' }))
    const { devices, usersWithout } = await open(database).findDevices(query)
    expect(devices.map(({ id }) => id).sort()).toEqual([ada, adas, bobs].sort())
    expect(devices.find(({ id }) => id === ada)).toEqual({
      id: ada,
      channel: 'web',
      address: 'a1',
      addressKind: 'token',
      environment: 'production',
      registeredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
      p256dh: 'key',
      auth: 'secret',
      isDisabled: false,
      refusals: 0,
    })
    expect(usersWithout).toBe(1)
  })

  test('gives disabled ones that this message was tried on', async ({ database }) => {
    const [tried = '', other = ''] = [
      await registerDevice(database, { userId: 'ada', address: 'a1' }),
      await registerDevice(database, { userId: 'ada', address: 'a2' }),
    ]
    await record(database, tried)
    await record(database, other, 'message-2')
    await disable(database, tried)
    await disable(database, other)
    const { devices } = await open(database).findDevices(query)
    expect(devices.map(({ id, isDisabled }) => [id, isDisabled])).toEqual([[tried, true]])
  })

  test('gives each device once, also one that this message was tried on', async ({ database }) => {
    await record(database, await registerDevice(database, { userId: 'ada', address: 'a1' }))
    expect((await open(database).findDevices(query)).devices).toHaveLength(1)
  })

  test('asks for thousands of users at once', async ({ database }) => {
    await database.query(
      "INSERT INTO push.devices (tenant_id, user_id, channel, address) SELECT 42, 'user-' || n, 'web', 'a-' || n FROM generate_series(1, 12000) AS n",
    )
    const userIds = Array.from({ length: 10_000 }, (_, index) => `user-${index + 1}`)
    const { devices, usersWithout } = await open(database).findDevices({ ...query, userIds })
    expect([devices.length, usersWithout]).toEqual([10_000, 0])
  })
})

const state = async (database: TestDatabase, id: string) =>
  (
    await database.query('SELECT disabled_at IS NOT NULL AS off, disabled_reason FROM push.devices WHERE id = $1', [id])
  )[0]

describe('disableDevice', () => {
  test('says when and why, the first time', async ({ database }) => {
    const id = await registerDevice(database, { userId: 'ada', address: 'a1' })
    const store = open(database)
    const [device] = (await store.findDevices(query)).devices
    if (!device) throw new Error('Expected a device')
    expect(await store.disableDevice(device, 'gone')).toBe(true)
    expect(await store.disableDevice(device, 'invalid-keys')).toBe(false)
    expect(await state(database, id)).toEqual({ off: true, disabled_reason: 'gone' })
    expect((await store.findDevices(query)).devices).toEqual([])
  })

  test.for([
    ['address', 'another'],
    ['p256dh', 'another'],
    ['auth', null],
    ['registered_at', '2100-01-01'],
  ])('leaves a device alone whose %s is another by now', async ([column, value], { database }) => {
    const id = await registerDevice(database, { userId: 'ada', address: 'a1', p256dh: 'key', auth: 'secret' })
    const store = open(database)
    const [device] = (await store.findDevices(query)).devices
    if (!device) throw new Error('Expected a device')
    await database.query(`UPDATE push.devices SET ${column} = $1 WHERE id = $2`, [value, id])
    await store.disableDevice(device, 'gone')
    expect(await state(database, id)).toEqual({ off: false, disabled_reason: null })
  })
})

describe('countRefusal', () => {
  const find = async (database: TestDatabase) => {
    const [device] = (await open(database).findDevices(query)).devices
    return device ?? expect.fail('Expected a device')
  }

  test('disables at the fifth in a row', async ({ database }) => {
    const id = await registerDevice(database, { userId: 'ada', address: 'a1' })
    const store = open(database)
    const counted = []
    for (let count = 1; count <= 4; count += 1) counted.push(await store.countRefusal(await find(database)))
    expect(await state(database, id)).toEqual({ off: false, disabled_reason: null })
    expect((await find(database)).refusals).toBe(4)
    counted.push(await store.countRefusal(await find(database)))
    expect(counted).toEqual([false, false, false, false, true])
    expect(await state(database, id)).toEqual({ off: true, disabled_reason: 'refused' })
  })

  test('begins anew after one that was accepted, and after it was registered again', async ({ database }) => {
    const id = await registerDevice(database, { userId: 'ada', address: 'a1' })
    const store = open(database)
    for (let count = 1; count <= 4; count += 1) await store.countRefusal(await find(database))
    await store.clearRefusals(await find(database))
    expect((await find(database)).refusals).toBe(0)
    for (let count = 1; count <= 5; count += 1) await store.countRefusal(await find(database))
    expect(await state(database, id)).toEqual({ off: true, disabled_reason: 'refused' })
    await database.query('UPDATE push.devices SET disabled_at = NULL, disabled_reason = NULL WHERE id = $1', [id])
    expect((await find(database)).refusals).toBe(0)
  })

  test('leaves a device alone whose keys are others by now', async ({ database }) => {
    await registerDevice(database, { userId: 'ada', address: 'a1', p256dh: 'key', auth: 'secret' })
    const device = await find(database)
    await database.query("UPDATE push.devices SET p256dh = 'another'")
    expect(await open(database).countRefusal(device)).toBe(false)
    expect((await find(database)).refusals).toBe(0)
  })
})
