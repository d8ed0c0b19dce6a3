import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { DeferError, PermanentError, type ReceivedMessage, RetryableError, type SettledEvent } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

const body = JSON.stringify(examples['push.notification'])

describe('consumeMessages', () => {
  test('hands a message to its handler and acknowledges it when the handler returns', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const received: ReceivedMessage<'push.notifications'>[] = []
    const settled: SettledEvent[] = []
    const consumer = await messageQueue.consumeMessages(
      'push.notifications',
      async (message) => {
        received.push(message)
      },
      { onSettled: (event) => settled.push(event) },
    )
    await messageQueue.sendPushNotification(examples['push.notification'], {
      channel: 'mobile',
      messageId: 'm1',
      correlationId: 'c1',
    })
    await waitFor(() => settled.length === 1, { what: 'the message to be settled' })
    expect(received[0]).toMatchObject({
      payload: examples['push.notification'],
      messageId: 'm1',
      type: 'push.notification',
      tenantId: examples['push.notification'].tenantId,
      routingKey: 'push.mobile',
      attempt: 1,
      redelivered: false,
    })
    expect(settled[0]).toMatchObject({ queue: 'push.notifications', outcome: 'acked', attempt: 1 })
    expect(consumer.state).toBe('consuming')
    expect(await vhost.countMessages('push.notifications')).toBe(0)
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
    await vhost.shortenRetries('push.notifications')
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const seen: { attempt: number; messageId: string; routingKey: string; deaths: unknown }[] = []
    const settled: SettledEvent[] = []
    await messageQueue.consumeMessages(
      'push.notifications',
      async ({ attempt, messageId, routingKey, headers }) => {
        seen.push({ attempt, messageId, routingKey, deaths: headers['x-death'] })
        if (attempt < 3) throw new RetryableError('not yet', { code: 'PROVIDER_UNAVAILABLE' })
      },
      { onSettled: (event) => settled.push(event) },
    )
    await vhost.publish('notifications', 'push.mobile', body)
    await waitFor(() => settled.length === 3, { what: 'three settlements' })
    expect(settled.map(({ outcome }) => outcome)).toEqual(['retried', 'retried', 'acked'])
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(seen.map(({ messageId }) => messageId)).size).toBe(1)
    expect(new Set(seen.map(({ routingKey }) => routingKey))).toEqual(new Set(['push.mobile']))
    // As the broker tells it: where the message has waited since it was tried the last time.
    expect(seen.map(({ deaths }) => deaths)).toEqual([
      undefined,
      [expect.objectContaining({ queue: 'push.notifications.retry.10s', reason: 'expired' })],
      [expect.objectContaining({ queue: 'push.notifications.retry.60s', reason: 'expired' })],
    ])
  })

  test('tries a message again when the delay of its plan is over and not before', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const triedAt: number[] = []
    await messageQueue.consumeMessages('push.notifications', async ({ attempt }) => {
      triedAt.push(Date.now())
      if (attempt === 1) throw new RetryableError('not yet')
    })
    await vhost.publish('notifications', 'push.mobile', body)
    await waitFor(() => triedAt.length === 2, { what: 'the second attempt', timeoutMs: 30_000 })
    const [first, second] = triedAt as [number, number]
    expect(second - first).toBeGreaterThanOrEqual(10_000)
  })

  test('dead-letters after the third attempt with the first and the last failure', async ({ vhost, cleanUp }) => {
    await vhost.shortenRetries('push.notifications')
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await messageQueue.consumeMessages('push.notifications', async ({ attempt }) => {
      throw new RetryableError(`failure ${attempt}`, { code: attempt === 1 ? 'PROVIDER_UNAVAILABLE' : 'UNCLASSIFIED' })
    })
    await vhost.publish('notifications', 'push.web', body, {
      correlationId: 'c1',
      appId: 'app',
      expiration: '60000',
      headers: { 'x-mine': 'kept' },
    })
    const [letter] = await vhost.drainQueue('push.notifications.dlq', 1)
    expect(letter?.body.toString()).toBe(body)
    expect(letter?.properties).toMatchObject({ correlationId: 'c1', appId: 'app', expiration: undefined })
    expect(letter?.headers).toMatchObject({
      'x-mine': 'kept',
      'x-attempts': 3,
      'x-original-exchange': 'notifications',
      'x-original-routing-key': 'push.web',
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
    await messageQueue.consumeMessages('push.notifications', async () => {
      throw errors.shift()
    })
    await vhost.publish('notifications', 'push.web', body)
    const [permanent] = await vhost.drainQueue('push.notifications.dlq', 1)
    await vhost.publish('notifications', 'push.web', body)
    const [bug] = await vhost.drainQueue('push.notifications.dlq', 1)
    expect(permanent?.headers).toMatchObject({ 'x-failure-code': 'PROVIDER_REJECTED', 'x-attempts': 1 })
    expect(bug?.headers).toMatchObject({ 'x-failure-code': 'HANDLER_BUG', 'x-failure-message': 'oops' })
  })

  test('defers without counting an attempt', async ({ vhost, cleanUp }) => {
    await vhost.shortenRetries('push.notifications')
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const seen: { attempt: number; header: unknown }[] = []
    const settled: SettledEvent[] = []
    await messageQueue.consumeMessages(
      'push.notifications',
      async ({ attempt, headers }) => {
        seen.push({ attempt, header: headers['x-attempts'] })
        if (seen.length === 1) throw new RetryableError('one attempt')
        if (seen.length === 2) throw new DeferError('not its fault', { code: 'DATABASE_UNAVAILABLE' })
      },
      { onSettled: (event) => settled.push(event) },
    )
    await vhost.publish('notifications', 'push.web', body)
    await waitFor(() => settled.length === 3, { what: 'three settlements' })
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
      'push.notifications',
      (_message, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true
            resolve()
          })
        }),
      { handlerTimeoutMs: 50, onSettled: (event) => settled.push(event) },
    )
    await vhost.publish('notifications', 'push.web', body)
    await waitFor(() => settled.length > 0, { what: 'the settlement' })
    expect(settled[0]).toMatchObject({ outcome: 'retried', code: 'HANDLER_TIMEOUT' })
    expect(aborted).toBe(true)
  })
})
