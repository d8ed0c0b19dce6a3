import { describe, expect, test } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { createFakeMessageQueue } from '../test/support/fake-message-queue.js'
import { type ReadinessSources, toReadinessReport } from './readiness.js'

function sources(changes: Partial<ReadinessSources> = {}): ReadinessSources {
  return {
    worker: 'audit-worker',
    state: 'running',
    messageQueue: createFakeMessageQueue(),
    consumer: createFakeConsumer(),
    database: { state: 'up' },
    breakers: { database: { state: 'closed' }, smtp: { state: 'trial' } },
    ...changes,
  }
}

function consumerIn(state: 'connecting' | 'paused' | 'draining' | 'stopped' | 'failed' | 'standby') {
  return Object.assign(createFakeConsumer(), { state })
}

describe('a worker is ready', () => {
  test('when it runs, consumes, and the database is up, though it has not published yet', () => {
    expect(toReadinessReport(sources())).toEqual({
      status: 'ready',
      worker: 'audit-worker',
      state: 'running',
      checks: {
        broker: { state: 'open', blocked: false },
        consumer: { state: 'consuming', inFlight: 0 },
        database: { state: 'up' },
        breakers: { database: { state: 'closed' }, smtp: { state: 'trial' } },
      },
    })
  })

  test('when its consumer stands by for another replica', () => {
    const report = toReadinessReport(sources({ consumer: consumerIn('standby') }))
    expect([report.status, report.checks.consumer.state, report.checks.broker.state]).toEqual([
      'ready',
      'standby',
      'open',
    ])
  })

  test('when its publishing connection is open', () => {
    const messageQueue = createFakeMessageQueue({ connection: 'open' })
    expect(toReadinessReport(sources({ messageQueue })).status).toBe('ready')
  })
})

describe('a worker is not ready', () => {
  test.each<[string, Partial<ReadinessSources>]>([
    ['before anything is there', { state: 'starting', messageQueue: undefined, consumer: undefined }],
    ['while it waits', { state: 'waiting' }],
    ['while it drains', { state: 'draining' }],
    ['while its consumer connects', { consumer: consumerIn('connecting') }],
    ['when its consumer has failed', { consumer: consumerIn('failed') }],
    ['when its consumer has stopped', { consumer: consumerIn('stopped') }],
    ['while the broker blocks it', { messageQueue: createFakeMessageQueue({ connection: 'open', blocked: true }) }],
    ['while its publishing connection is lost', { messageQueue: createFakeMessageQueue({ connection: 'connecting' }) }],
    ['while the database is down', { database: { state: 'down', error: 'connect ECONNREFUSED' } }],
    ['while the database is not migrated', { database: { state: 'not migrated', error: 'run it' } }],
    ['while its consumer is paused', { consumer: consumerIn('paused') }],
    ['while a breaker is open', { breakers: { smtp: { state: 'open', error: 'no answer' } } }],
    ['before the database was looked at', { database: { state: 'unknown' } }],
  ])('%s', (_when, changes) => {
    expect(toReadinessReport(sources(changes)).status).toBe('not ready')
  })

  test('and says what the broker said, without the password', () => {
    const messageQueue = createFakeMessageQueue({ connection: 'connecting', lastError: 'amqp://u:hunter2@h refused' })
    expect(toReadinessReport(sources({ messageQueue })).checks.broker).toEqual({
      state: 'connecting',
      blocked: false,
      error: 'amqp://u:[redacted]@h refused',
    })
  })

  test('and says why its consumer failed', () => {
    const consumer = createFakeConsumer()
    consumer.fail(new Error('audit.events exists with other arguments'))
    expect(toReadinessReport(sources({ consumer })).checks.consumer).toEqual({
      state: 'failed',
      inFlight: 0,
      error: 'audit.events exists with other arguments',
    })
  })

  test('and shows the consumer that the start is still making', () => {
    const consumers = [{ queue: 'audit.events' as const, state: 'connecting' as const, inFlight: 0 }]
    const messageQueue = createFakeMessageQueue({ consumers })
    const { checks } = toReadinessReport(sources({ state: 'waiting', messageQueue, consumer: undefined }))
    expect(checks.consumer).toEqual({ state: 'connecting', inFlight: 0 })
    expect(checks.broker.state).toBe('connecting')
  })

  test('and says why its consumer cannot connect, without the password', () => {
    const lastError = 'NOT_ALLOWED - vhost nonesuch not found at amqp://u:hunter2@h'
    const consumers = [{ queue: 'audit.events' as const, state: 'connecting' as const, inFlight: 0, lastError }]
    const messageQueue = createFakeMessageQueue({ consumers })
    const error = 'NOT_ALLOWED - vhost nonesuch not found at amqp://u:[redacted]@h'
    for (const consumer of [undefined, consumerIn('connecting')]) {
      const { checks } = toReadinessReport(sources({ messageQueue, consumer }))
      expect(checks.consumer).toEqual({ state: 'connecting', inFlight: 0, error })
    }
  })

  test('and shows the broker as connecting while the consumer is', () => {
    expect(toReadinessReport(sources({ consumer: consumerIn('connecting') })).checks.broker.state).toBe('connecting')
  })
})
