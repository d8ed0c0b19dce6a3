import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { DeferError, PermanentError, type ReceivedMessage, RetryableError, type SettledEvent } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

const body = JSON.stringify(examples['chat.message'])

describe('consumeMessages', () => {
  test('hands a message to its handler and acknowledges it when the handler returns', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const received: ReceivedMessage<'chat.messages'>[] = []
    const settled: SettledEvent[] = []
    const consumer = await messageQueue.consumeMessages(
      'chat.messages',
      async (message) => {
        received.push(message)
      },
      { onSettled: (event) => settled.push(event) },
    )
    await messageQueue.sendChatMessage(examples['chat.message'], { kind: 'group', correlationId: 'c1' })
    await waitFor(() => settled.length === 1, { what: 'the message to be settled' })
    expect(received[0]).toMatchObject({
      payload: examples['chat.message'],
      messageId: examples['chat.message'].messageId,
      type: 'chat.message',
      tenantId: examples['chat.message'].tenantId,
      routingKey: 'chat.group',
      attempt: 1,
      redelivered: false,
    })
    expect(settled[0]).toMatchObject({ queue: 'chat.messages', outcome: 'acked', attempt: 1 })
    expect(consumer.state).toBe('consuming')
    expect(await vhost.countMessages('chat.messages')).toBe(0)
  })

  test('takes a message of a plain client that sets nothing but a body', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const received: ReceivedMessage<'audit.events'>[] = []
    await messageQueue.consumeMessages('audit.events', async (message) => {
      received.push(message)
    })
    await vhost.publish('audit', 'audit.track', examples['audit.event'])
    await waitFor(() => received.length === 1, { what: 'the message' })
    expect(received[0]?.messageId).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(received[0]?.payload).toEqual(examples['audit.event'])
  })

  test('retries by the plan of the queue, with attempts 1, 2, 3 and its identity and routing kept', async ({
    vhost,
    cleanUp,
  }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const seen: { attempt: number; messageId: string; routingKey: string; at: number }[] = []
    const settled: SettledEvent[] = []
    await messageQueue.consumeMessages(
      'chat.messages',
      async ({ attempt, messageId, routingKey }) => {
        seen.push({ attempt, messageId, routingKey, at: Date.now() })
        if (attempt < 3) throw new RetryableError('not yet', { code: 'PROVIDER_UNAVAILABLE' })
      },
      { onSettled: (event) => settled.push(event) },
    )
    await vhost.publish('messages', 'chat.group', body)
    await waitFor(() => settled.length === 3, { what: 'three settlements', timeoutMs: 20_000 })
    expect(settled.map(({ outcome }) => outcome)).toEqual(['retried', 'retried', 'acked'])
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(seen.map(({ messageId }) => messageId)).size).toBe(1)
    expect(new Set(seen.map(({ routingKey }) => routingKey))).toEqual(new Set(['chat.group']))
    const [first, second, third] = seen.map(({ at }) => at) as [number, number, number]
    expect(second - first).toBeGreaterThanOrEqual(1_000)
    expect(third - second).toBeGreaterThanOrEqual(5_000)
  })

  test('dead-letters after the third attempt with the first and the last failure', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await messageQueue.consumeMessages('chat.messages', async ({ attempt }) => {
      throw new RetryableError(`failure ${attempt}`, { code: attempt === 1 ? 'PROVIDER_UNAVAILABLE' : 'UNCLASSIFIED' })
    })
    await vhost.publish('messages', 'chat.direct', body, {
      correlationId: 'c1',
      appId: 'app',
      expiration: '60000',
      headers: { 'x-mine': 'kept' },
    })
    const [letter] = await vhost.drainQueue('chat.messages.dlq', 1, { timeoutMs: 20_000 })
    expect(letter?.body.toString()).toBe(body)
    expect(letter?.properties).toMatchObject({ correlationId: 'c1', appId: 'app', expiration: undefined })
    expect(letter?.headers).toMatchObject({
      'x-mine': 'kept',
      'x-attempts': 3,
      'x-original-exchange': 'messages',
      'x-original-routing-key': 'chat.direct',
      'x-original-expiration': '60000',
      'x-first-failure-code': 'PROVIDER_UNAVAILABLE',
      'x-first-failure-message': 'failure 1',
      'x-failure-code': 'UNCLASSIFIED',
      'x-failure-message': 'failure 3',
      'x-failed-by': expect.stringMatching(/^test@./),
      'x-failed-at': expect.stringMatching(/^\d{4}-.*Z$/),
      'x-failure-stack': expect.stringContaining('RetryableError: failure 3'),
    })
  })

  test('dead-letters a permanent failure and a programming error at once', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const errors = [new PermanentError('no such thing', { code: 'PROVIDER_REJECTED' }), new TypeError('oops')]
    await messageQueue.consumeMessages('chat.messages', async () => {
      throw errors.shift()
    })
    await vhost.publish('messages', 'chat.direct', body)
    const [permanent] = await vhost.drainQueue('chat.messages.dlq', 1)
    await vhost.publish('messages', 'chat.direct', body)
    const [bug] = await vhost.drainQueue('chat.messages.dlq', 1)
    expect(permanent?.headers).toMatchObject({ 'x-failure-code': 'PROVIDER_REJECTED', 'x-attempts': 1 })
    expect(bug?.headers).toMatchObject({ 'x-failure-code': 'HANDLER_BUG', 'x-failure-message': 'oops' })
  })

  test('defers without counting an attempt', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const seen: { attempt: number; header: unknown }[] = []
    const settled: SettledEvent[] = []
    await messageQueue.consumeMessages(
      'chat.messages',
      async ({ attempt, headers }) => {
        seen.push({ attempt, header: headers['x-attempts'] })
        if (seen.length === 1) throw new RetryableError('one attempt')
        if (seen.length === 2) throw new DeferError('not its fault', { code: 'DATABASE_UNAVAILABLE' })
      },
      { onSettled: (event) => settled.push(event) },
    )
    await vhost.publish('messages', 'chat.direct', body)
    await waitFor(() => settled.length === 3, { what: 'three settlements', timeoutMs: 20_000 })
    expect(settled.map(({ outcome }) => outcome)).toEqual(['retried', 'deferred', 'acked'])
    expect(seen).toEqual([
      { attempt: 1, header: undefined },
      { attempt: 2, header: 1 },
      { attempt: 2, header: 1 },
    ])
  })

  test('dead-letters what is older than the TTL of its queue without handing it over', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    let handled = 0
    await messageQueue.consumeMessages('push.notifications', async () => {
      handled += 1
    })
    const publishedAt = new Date(Date.now() - 3_600_001).toISOString()
    await vhost.publish('notifications', 'push.web', examples['push.notification'], {
      headers: { 'x-published-at': publishedAt },
    })
    const [letter] = await vhost.drainQueue('push.notifications.dlq', 1)
    expect(letter?.headers).toMatchObject({ 'x-failure-code': 'EXPIRED', 'x-attempts': 0 })
    expect(handled).toBe(0)
  })

  test('retries a handler that takes too long, and aborts its signal', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const settled: SettledEvent[] = []
    let aborted = false
    await messageQueue.consumeMessages(
      'chat.messages',
      (_message, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true
            resolve()
          })
        }),
      { handlerTimeoutMs: 50, onSettled: (event) => settled.push(event) },
    )
    await vhost.publish('messages', 'chat.direct', body)
    await waitFor(() => settled.length > 0, { what: 'the settlement' })
    expect(settled[0]).toMatchObject({ outcome: 'retried', code: 'HANDLER_TIMEOUT' })
    expect(aborted).toBe(true)
  })
})
