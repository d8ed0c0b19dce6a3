import type { ChatMessage } from '@mono/contracts'
import { createTcpProxy, migrate, type TestDatabase, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { chatMessage } from './received-chat-message.js'

test.beforeEach(async ({ database }) => {
  await migrate('chat-worker', database.url)
})

const environment = (vhost: TestVhost, database: TestDatabase) => ({
  RABBITMQ_URL: vhost.url,
  DATABASE_URL: database.url,
})

const publish = (vhost: TestVhost, fields: Partial<ChatMessage>) =>
  vhost.publish('messages', 'chat.direct', chatMessage(fields), { messageId: fields.messageId ?? 'message-1' })

describe('chat-worker', () => {
  test('stores messages and broadcasts them with their sequence', async ({ vhost, database, workers }) => {
    const worker = workers.spawn('chat-worker', environment(vhost, database))
    await worker.ready()
    const live = await vhost.subscribe('realtime', 'chat.42.room%2E1')
    for (const messageId of ['a', 'b', 'c']) await publish(vhost, { messageId, conversationId: 'room.1' })
    const updates = (await vhost.drainQueue(live, 3)).map((message) => message.json() as Record<string, unknown>)
    expect(updates.map(({ sequence }) => sequence).sort()).toEqual([1, 2, 3])
    expect(updates[0]).toEqual({
      ...chatMessage({ messageId: String(updates[0]?.messageId), conversationId: 'room.1' }),
      timestamp: chatMessage().timestamp.toISOString(),
      sequence: updates[0]?.sequence,
    })
    expect(await database.query('SELECT last_sequence FROM chat.conversations')).toEqual([{ last_sequence: '3' }])
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  })

  test('a message that comes again is broadcast again as it is stored, and stored once', async ({
    vhost,
    database,
    workers,
  }) => {
    const worker = workers.spawn('chat-worker', environment(vhost, database))
    await worker.ready()
    const live = await vhost.subscribe('realtime', 'chat.#')
    await publish(vhost, { messageId: 'a' })
    await vhost.drainQueue(live, 1)
    await publish(vhost, { messageId: 'a' })
    const [again] = await vhost.drainQueue(live, 1)
    expect(again?.json()).toMatchObject({ messageId: 'a', sequence: 1 })
    expect(await database.query('SELECT sequence FROM chat.messages')).toEqual([{ sequence: '1' }])
    await worker.terminate()
  })

  test('an id with other content is dead-lettered, and nobody is told', async ({ vhost, database, workers }) => {
    const worker = workers.spawn('chat-worker', environment(vhost, database))
    await worker.ready()
    const live = await vhost.subscribe('realtime', 'chat.#')
    await publish(vhost, { messageId: 'a', content: 'first' })
    await vhost.drainQueue(live, 1)
    await publish(vhost, { messageId: 'a', content: 'second' })
    const [dead] = await vhost.drainQueue('chat.messages.dlq', 1)
    expect(dead?.headers).toMatchObject({ 'x-failure-code': 'ID_CONFLICT', 'x-original-routing-key': 'chat.direct' })
    expect(dead?.json()).toMatchObject({ content: 'second' })
    expect(await vhost.countMessages(live)).toBe(0)
    expect(await database.query('SELECT content FROM chat.messages')).toEqual([{ content: 'first' }])
    await worker.terminate()
  })

  test('a message that comes while the database is away is stored when it is back', async ({
    vhost,
    database,
    workers,
    cleanUp,
  }) => {
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    const worker = workers.spawn('chat-worker', {
      ...environment(vhost, database),
      DATABASE_URL: proxy.url(database.url),
    })
    await worker.ready()
    const live = await vhost.subscribe('realtime', 'chat.#')
    await proxy.down()
    await publish(vhost, { messageId: 'a' })
    const deferrals = () => worker.metric('mono_defers_total', { code: 'DATABASE_UNAVAILABLE' })
    await waitFor(async () => (await deferrals()) > 0, { what: 'the message to wait for the database', intervalMs: 10 })
    await proxy.up()
    const [update] = await vhost.drainQueue(live, 1)
    expect(update?.json()).toMatchObject({ messageId: 'a', sequence: 1 })
    expect(await vhost.countMessages('chat.messages.dlq')).toBe(0)
    await worker.terminate()
  })

  test('a listener whose queue refuses broadcasts is no matter of the messages', async ({
    vhost,
    database,
    workers,
  }) => {
    const worker = workers.spawn('chat-worker', environment(vhost, database))
    await worker.ready()
    const live = await vhost.subscribe('realtime', 'chat.#')
    const refusing = { durable: true, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } }
    await vhost.withChannel(async (channel) => {
      await channel.assertQueue('refusing', refusing)
      await channel.bindQueue('refusing', 'realtime', 'chat.#')
    })
    for (const messageId of ['a', 'b', 'c']) await publish(vhost, { messageId })
    const updates = await vhost.drainQueue(live, 3)
    expect(updates.map((update) => (update.json() as ChatMessage).messageId)).toEqual(['a', 'b', 'c'])
    await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 3, {
      what: 'all messages to be acknowledged',
    })
    expect(await worker.metric('mono_retries_total')).toBe(0)
    expect(await vhost.countMessages('chat.messages.dlq')).toBe(0)
    expect(await vhost.countMessages(live)).toBe(0)
    expect(await worker.metric('mono_broadcasts_refused_total')).toBe(2)
    await worker.terminate()
  })
})
