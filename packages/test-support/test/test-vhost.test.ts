import { once } from 'node:events'
import { connect } from 'amqplib'
import { describe, expect } from 'vitest'
import { test } from '../src/test.js'
import { waitFor } from '../src/wait-for.js'

const declare = (queue: string) => async (channel: import('amqplib').Channel) => {
  await channel.assertExchange('orders', 'topic')
  await channel.assertQueue(queue)
  await channel.bindQueue(queue, 'orders', 'order.*')
}

describe('TestVhost', () => {
  test('a published message is taken with its body, headers and properties', async ({ vhost }) => {
    await vhost.withChannel(declare('work'))
    await vhost.publish('orders', 'order.new', { id: 1 }, { headers: { 'x-tenant-id': 7 }, messageId: 'a' })
    const message = await waitFor(() => vhost.get('work'), { what: 'the message' })
    expect(message.json()).toEqual({ id: 1 })
    expect(message).toMatchObject({ exchange: 'orders', routingKey: 'order.new', redelivered: false })
    expect(message.headers).toEqual({ 'x-tenant-id': 7 })
    expect(message.properties.messageId).toBe('a')
    expect(await vhost.get('work')).toBeUndefined()
  })

  test('text and buffers are published as they are', async ({ vhost }) => {
    await vhost.withChannel(declare('work'))
    await vhost.publish('orders', 'order.new', '{not json')
    await vhost.publish('orders', 'order.new', Buffer.from([0xff]))
    const [text, bytes] = await vhost.drainQueue('work', 2)
    expect(text?.body.toString()).toBe('{not json')
    expect(bytes?.body).toEqual(Buffer.from([0xff]))
  })

  test('a message that nothing takes is an error, unless it is not mandatory', async ({ vhost }) => {
    await vhost.withChannel(declare('work'))
    await expect(vhost.publish('orders', 'refund', '')).rejects.toThrow('NO_ROUTE')
    await vhost.publish('orders', 'refund', '', { mandatory: false })
    await expect(vhost.publish('missing', 'refund', '')).rejects.toThrow('404')
  })

  test('a subscriber queue gets what its binding keys match, and nothing else', async ({ vhost }) => {
    await vhost.withChannel(async (channel) => {
      await channel.assertExchange('realtime', 'topic')
    })
    const queue = await vhost.subscribe('realtime', 'chat.1.*', 'chat.2.*')
    await vhost.publish('realtime', 'chat.3.a', 'no', { mandatory: false })
    await vhost.publish('realtime', 'chat.1.a', 'one')
    await vhost.publish('realtime', 'chat.2.b', 'two')
    const messages = await vhost.drainQueue(queue, 2)
    expect(messages.map(({ body }) => body.toString())).toEqual(['one', 'two'])
    expect(await vhost.countMessages(queue)).toBe(0)
  })

  test('a listener has what its binding keys match, in order', async ({ vhost }) => {
    await vhost.withChannel(declare('work'))
    const heard = await vhost.listen('orders', 'order.*')
    await vhost.publish('orders', 'order.new', 'one')
    await vhost.publish('orders', 'order.paid', 'two')
    await waitFor(() => heard.messages.length === 2, { what: 'both messages' })
    expect(heard.messages.map(({ body, routingKey }) => [routingKey, body.toString()])).toEqual([
      ['order.new', 'one'],
      ['order.paid', 'two'],
    ])
    expect(await vhost.countMessages('work')).toBe(2)
  })

  test("imported definitions declare the project's topology in this vhost", async ({ vhost }) => {
    await vhost.importDefinitions()
    await vhost.publish('audit', 'audit.track', 'event')
    await waitFor(async () => (await vhost.countMessages('audit.events')) === 1, { what: 'the event to be counted' })
  })

  test('shortened retries are brought back by the broker; those of another queue wait on', async ({ vhost }) => {
    await vhost.shortenRetries('audit.events')
    await vhost.importDefinitions()
    for (const queue of ['audit.events', 'push.notifications']) await vhost.publish(`${queue}.retry`, '60s', 'a retry')
    const [back] = await vhost.drainQueue('audit.events', 1)
    expect(back).toMatchObject({ exchange: 'audit.events.retry', routingKey: 'work' })
    expect(back?.headers['x-death']).toMatchObject([{ queue: 'audit.events.retry.60s', reason: 'expired' }])
    expect(await vhost.countMessages('push.notifications.retry.60s')).toBe(1)
  })

  test('draining more than there is says how many were found', async ({ vhost }) => {
    await vhost.withChannel(declare('work'))
    await vhost.publish('orders', 'order.new', 'one')
    await expect(vhost.drainQueue('work', 2, { timeoutMs: 200 })).rejects.toThrow(
      'Expected 2 messages in work within 200 ms, found 1',
    )
  })

  test('counting counts, and a queue that does not exist is an error', async ({ vhost }) => {
    await vhost.withChannel(declare('work'))
    await vhost.publish('orders', 'order.new', 'one')
    await waitFor(async () => (await vhost.countMessages('work')) === 1, { what: 'the message to be counted' })
    await expect(vhost.countMessages('missing')).rejects.toThrow('404')
    expect(await vhost.countMessages('work')).toBe(1)
  })

  test("connections are counted without the fixture's own, and can be closed from the broker's side", async ({
    vhost,
  }) => {
    await vhost.withChannel(async () => undefined)
    const connection = await connect(vhost.url, { clientProperties: { connection_name: 'worker' } })
    connection.on('error', () => undefined)
    const closed = once(connection, 'close')
    await waitFor(async () => (await vhost.connections()) === 1, { what: 'the connection to be counted' })
    expect(await vhost.closeConnections()).toEqual([expect.stringMatching(/^worker \(/)])
    await closed
    await waitFor(async () => (await vhost.connections()) === 0, { what: 'the connection to be gone' })
  })

  test('each test has a vhost of its own', async ({ vhost }) => {
    await expect(vhost.countMessages('work')).rejects.toThrow('404')
  })
})
