import { examples } from '@mono/contracts'
import { type TestFixtures, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import type { DeadLetter, MessageQueue, ReceivedMessage } from '../src/index.js'
import { PermanentError, RetryableError } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

const body = JSON.stringify(examples['push.notification'])
const messageId = 'm-0'
const headers = { 'x-mine': 'kept', 'x-tenant-id': examples['push.notification'].tenantId }
const daysAgo = new Date(Date.now() - 2 * 24 * 3_600_000).toISOString()

type Fixtures = Pick<TestFixtures, 'vhost' | 'cleanUp'>

/** The topology is there, and nobody consumes. */
async function declareTopology(messageQueue: MessageQueue): Promise<void> {
  const consumer = await messageQueue.consumeMessages('push.notifications', async () => {})
  await consumer.drain()
}

const untilDead = (vhost: TestVhost, count = 1) =>
  waitFor(async () => (await vhost.countMessages('push.notifications.dlq')) === count, {
    what: `${count} dead letters`,
    timeoutMs: 20_000,
  })

const publish = (vhost: TestVhost, properties: object = {}) =>
  vhost.publish('notifications', 'push.web', body, {
    messageId,
    correlationId: 'c1',
    type: 'push.notification',
    contentEncoding: 'identity',
    replyTo: 'me',
    headers,
    ...properties,
  })

async function failBy(messageQueue: MessageQueue, vhost: TestVhost, error: Error, properties: object = {}) {
  const consumer = await messageQueue.consumeMessages('push.notifications', async () => {
    throw error
  })
  await publish(vhost, properties)
  await untilDead(vhost)
  await consumer.drain()
}

/** As somebody does who knows nothing of this project: puts it back `times` times, or for the last time not. */
async function reject(vhost: TestVhost, { requeue, times = 1 }: { requeue: boolean; times?: number }) {
  await vhost.withChannel(async (channel) => {
    for (let rejected = 0; rejected < times; rejected += 1) {
      const message = await waitFor(() => channel.get('push.notifications'), { what: 'the message in the work queue' })
      if (message) channel.reject(message, requeue)
    }
  })
}

/** Every way by which a message can come to a dead-letter queue. */
const ways: {
  way: string
  code: DeadLetter['code']
  go(messageQueue: MessageQueue, vhost: TestVhost): Promise<void>
}[] = [
  {
    way: 'given up at once',
    code: 'ALL_RECIPIENTS_FAILED',
    go: (messageQueue, vhost) =>
      failBy(messageQueue, vhost, new PermanentError('nobody', { code: 'ALL_RECIPIENTS_FAILED' })),
  },
  {
    way: 'given up after its last attempt',
    code: 'PROVIDER_UNAVAILABLE',
    async go(messageQueue, vhost) {
      await vhost.shortenRetries('push.notifications')
      await failBy(messageQueue, vhost, new RetryableError('away', { code: 'PROVIDER_UNAVAILABLE' }))
    },
  },
  {
    way: 'too old for the worker',
    code: 'EXPIRED',
    go: (messageQueue, vhost) =>
      failBy(messageQueue, vhost, new Error('not reached'), { headers: { ...headers, 'x-published-at': daysAgo } }),
  },
  {
    way: 'expired in the work queue',
    code: 'EXPIRED',
    async go(messageQueue, vhost) {
      await declareTopology(messageQueue)
      await publish(vhost, { expiration: '1' })
    },
  },
  {
    way: 'rejected without requeue',
    code: 'REJECTED',
    async go(messageQueue, vhost) {
      await declareTopology(messageQueue)
      await publish(vhost)
      await reject(vhost, { requeue: false })
    },
  },
  {
    way: 'past the delivery limit',
    code: 'DELIVERY_LIMIT',
    async go(messageQueue, vhost) {
      await declareTopology(messageQueue)
      await publish(vhost)
      await reject(vhost, { requeue: true, times: 21 })
    },
  },
  {
    way: 'rejected when it came back from a retry',
    code: 'REJECTED',
    async go(messageQueue, vhost) {
      // Long enough for the consumer to be gone when it comes back.
      await vhost.shortenRetries('push.notifications', { waitMs: 1_000 })
      const consumer = await messageQueue.consumeMessages('push.notifications', async () => {
        throw new RetryableError('not yet')
      })
      await publish(vhost)
      await waitFor(async () => (await vhost.countMessages('push.notifications.retry.10s')) === 1, {
        what: 'the retry',
      })
      await consumer.drain()
      await reject(vhost, { requeue: false })
    },
  },
]

async function receiveOne({ vhost, cleanUp }: Fixtures): Promise<ReceivedMessage<'push.notifications'>> {
  const received: ReceivedMessage<'push.notifications'>[] = []
  const consumer = await openMessageQueue({ vhost, cleanUp }).consumeMessages('push.notifications', async (message) => {
    received.push(message)
  })
  await waitFor(() => received.length > 0, { what: 'the replayed message' })
  await consumer.drain()
  expect(received).toHaveLength(1)
  return received[0] as ReceivedMessage<'push.notifications'>
}

describe('replayDeadLetters', () => {
  test.for(ways)('brings back what was $way', async ({ code, go }, { vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await go(messageQueue, vhost)
    await untilDead(vhost)
    const seen: DeadLetter[] = []
    const since = Date.now()
    const result = await messageQueue.replayDeadLetters('push.notifications', {
      select: (letter) => seen.push(letter) > 0,
    })
    expect(result).toEqual({ replayed: 1, kept: 0, failed: [], unreadable: 0 })
    expect(seen).toMatchObject([{ code, origin: { exchange: 'notifications', routingKey: 'push.web' } }])

    const message = await receiveOne({ vhost, cleanUp })
    expect(message).toMatchObject({
      payload: examples['push.notification'],
      messageId,
      routingKey: 'push.web',
      attempt: 1,
      headers: { ...headers, 'x-replay': expect.any(String) },
    })
    expect(message.publishedAt.getTime()).toBeGreaterThanOrEqual(since)
    expect(Object.keys(message.headers).filter((name) => /^(rascal|x-death|x-attempts|x-.*fail)/.test(name))).toEqual(
      [],
    )
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })

  test('keeps body and properties', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await failBy(messageQueue, vhost, new PermanentError('no'), {
      messageId: 'm-1',
      timestamp: 1_700_000_000,
      priority: 3,
    })
    await messageQueue.replayDeadLetters('push.notifications')
    const [message] = await vhost.drainQueue('push.notifications', 1)
    expect(message?.body.toString()).toBe(body)
    expect(message?.properties).toMatchObject({
      messageId: 'm-1',
      type: 'push.notification',
      correlationId: 'c1',
      contentEncoding: 'identity',
      replyTo: 'me',
      timestamp: 1_700_000_000,
      priority: 3,
      deliveryMode: 2,
    })
  })

  test('leaves what is not selected, and stops at the limit, in the order of the queue', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await declareTopology(messageQueue)
    const numbers = Array.from({ length: 100 }, (_, index) => index)
    for (const number of numbers) await publish(vhost, { headers: { ...headers, 'x-number': number } })
    await reject(vhost, { requeue: false, times: numbers.length })
    await untilDead(vhost, numbers.length)
    const isOdd = ({ headers }: DeadLetter) => Number(headers['x-number']) % 2 === 1

    const first = await messageQueue.replayDeadLetters('push.notifications', { select: isOdd, limit: 30 })
    expect(first).toMatchObject({ replayed: 30, failed: [] })
    const replayed = await vhost.drainQueue('push.notifications', 30)
    expect(replayed.map(({ headers }) => headers['x-number']).sort(ascending)).toEqual(
      numbers.filter((number) => number % 2 === 1).slice(0, 30),
    )
    await untilDead(vhost, 70)
    expect(await messageQueue.replayDeadLetters('push.notifications', { select: isOdd })).toEqual({
      replayed: 20,
      kept: 50,
      failed: [],
      unreadable: 0,
    })
    await untilDead(vhost, 50)
    expect(await messageQueue.replayDeadLetters('push.notifications', { limit: 0 })).toEqual({
      replayed: 0,
      kept: 0,
      failed: [],
      unreadable: 0,
    })
  })

  test('believes the broker, not the publisher, of where an expired message came from', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await declareTopology(messageQueue)
    const forged = {
      'x-original-exchange': 'audit',
      'x-original-routing-key': 'audit.compliance',
      'x-failure-code': 'UNCLASSIFIED',
    }
    await publish(vhost, { expiration: '1', headers: forged })
    await untilDead(vhost)
    const seen: DeadLetter[] = []
    await messageQueue.replayDeadLetters('push.notifications', { select: (letter) => seen.push(letter) > 0 })
    expect(seen).toMatchObject([{ code: 'EXPIRED', origin: { exchange: 'notifications', routingKey: 'push.web' } }])
    expect(await vhost.drainQueue('push.notifications', 1)).toHaveLength(1)
  })

  test('does not chase what fails again', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await messageQueue.consumeMessages('push.notifications', async () => {})
    // So many that the first are back before the last are replayed.
    const count = 100
    await Promise.all(
      Array.from({ length: count }, async () => await vhost.publish('notifications', 'push.web', '{not json')),
    )
    await untilDead(vhost, count)
    expect(await messageQueue.replayDeadLetters('push.notifications')).toEqual({
      replayed: count,
      kept: 0,
      failed: [],
      unreadable: 0,
    })
    await untilDead(vhost, count)
    const [letter] = await vhost.drainQueue('push.notifications.dlq', 1)
    expect(letter?.headers).toMatchObject({ 'x-failure-code': 'INVALID_JSON', 'x-replay': expect.any(String) })
  })

  test('puts back what cannot be published, and says why', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await failBy(messageQueue, vhost, new PermanentError('no'))
    await vhost.withChannel(async (channel) =>
      channel.publish('dead-letter', 'push.notifications', Buffer.from('of nowhere')),
    )
    await untilDead(vhost, 2)
    await vhost.withChannel((channel) => channel.unbindQueue('push.notifications', 'notifications', 'push.*'))
    const { replayed, failed } = await messageQueue.replayDeadLetters('push.notifications')
    expect(replayed).toBe(0)
    expect(failed.map(({ deadLetter, error }) => [deadLetter.code, error.name, error.message])).toEqual([
      ['UNKNOWN', 'Error', expect.stringContaining('x-original-exchange')],
      ['UNCLASSIFIED', 'UnroutableMessageError', expect.stringContaining('push.web')],
    ])
    await untilDead(vhost, 2)
  })

  test('a dead-letter queue that does not exist is an error', async ({ vhost, cleanUp }) => {
    const replaying = openMessageQueue({ vhost, cleanUp }).replayDeadLetters('audit.events')
    await expect(replaying).rejects.toThrow(/audit\.events\.dlq/)
  })
})

const ascending = (a: unknown, b: unknown) => Number(a) - Number(b)

test('a dead letter that is older than the ledger is replayed with force only', async ({ vhost, cleanUp }) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  await declareTopology(messageQueue)
  const origin = { 'x-original-exchange': 'notifications', 'x-original-routing-key': 'push.web' }
  const daysBefore = (days: number) => new Date(Date.now() - days * 24 * 3_600_000).toISOString()
  for (const [id, days] of [
    ['old', 31],
    ['young', 29],
  ] as const) {
    const failedAt = { 'x-failure-code': 'PROVIDER_UNAVAILABLE', 'x-failed-at': daysBefore(days) }
    await vhost.publish('dead-letter', 'push.notifications', body, {
      messageId: id,
      headers: { ...headers, ...origin, ...failedAt },
    })
  }
  const first = await messageQueue.replayDeadLetters('push.notifications')
  expect(first).toMatchObject({ replayed: 1, kept: 0, failed: [{ deadLetter: { messageId: 'old' } }] })
  expect(first.failed[0]?.error.message).toMatch(/last 30 days.*force/)
  await untilDead(vhost)
  const longer = { ledgerRetentionDays: 28, select: ({ messageId: id }: DeadLetter) => id === 'old' }
  expect(await messageQueue.replayDeadLetters('push.notifications', longer)).toMatchObject({ replayed: 0 })
  await untilDead(vhost)
  expect(await messageQueue.replayDeadLetters('push.notifications', { force: true })).toMatchObject({ replayed: 1 })
})
