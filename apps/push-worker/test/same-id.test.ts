import { examples } from '@mono/contracts'
import { waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { test } from './support/push-setup.js'

describe('one id for two notifications', () => {
  test('sends the first, and the others are dead-lettered and say what differs', async ({ push, vhost }) => {
    const service = await push.createService()
    const device = await push.register(service.subscribe(), { userId: 'ada' })
    await push.register(service.subscribe(), { userId: 'eve' })
    const worker = await push.startWorker()
    await push.send('one', ['ada'])
    await push.untilDelivery('one', device, { state: 'sent' })

    await push.send('one', ['ada'], { title: 'Another title' })
    await push.send('one', ['eve'], { data: { unread: 4 } }, 'push.web')
    const dead = await vhost.drainQueue('push.notifications.dlq', 2)
    expect(dead.map(({ headers }) => headers['x-failure-code'])).toEqual(['ID_CONFLICT', 'ID_CONFLICT'])
    expect(dead.map(({ headers }) => headers['x-failure-message']).toSorted()).toEqual([
      expect.stringMatching(/with other data$/),
      expect.stringMatching(/with other title$/),
    ])
    expect(service.received).toHaveLength(1)
    expect(await worker.metric('mono_dead_letters_total', { code: 'ID_CONFLICT' })).toBe(2)
    await worker.terminate()
  })

  test('is one notification for a further recipient, and for further devices', async ({ push }) => {
    const service = await push.createService()
    const ada = await push.register(service.subscribe(), { userId: 'ada' })
    const eve = await push.register(service.subscribe(), { userId: 'eve' })
    const worker = await push.startWorker()
    await push.send('one', ['ada'], {}, 'push.web')
    await push.untilDelivery('one', ada, { state: 'sent' })
    await push.send('one', ['ada', 'eve'])
    await push.untilDelivery('one', eve, { state: 'sent' })
    expect(service.received).toHaveLength(2)
    await worker.terminate()
  })
})

test('two equal notifications without an id are one for a day, which is counted, and two after 40 days', async ({
  push,
  vhost,
  database,
}) => {
  const service = await push.createService()
  await push.register(service.subscribe(), { userId: 'ada' })
  const worker = await push.startWorker()
  const notification = { ...examples['push.notification'], recipientIds: ['ada'] }
  const publish = () => vhost.publish('notifications', 'push.all', notification)
  const isSent = async () => (await database.query("SELECT FROM push.deliveries WHERE state = 'sent'")).length === 1
  await publish()
  await waitFor(isSent, { what: 'the first notification' })
  await publish()
  await waitFor(async () => (await worker.metric('mono_derived_id_merges_total')) === 1, { what: 'the merge' })
  expect(worker.logs).toContainEqual(expect.objectContaining({ level: 'warn', merged: 1 }))
  expect(service.received).toHaveLength(1)

  await database.query("UPDATE push.deliveries SET updated_at = now() - interval '40 days'")
  await publish()
  await waitFor(() => service.received.length === 2, { what: 'the notification of today' })
  await worker.terminate()
})
