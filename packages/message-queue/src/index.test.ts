import { describe, expect, test } from 'vitest'
import * as door from './index.js'

const {
  DeferError,
  GiveWayError,
  InvalidMessageError,
  MessageQueueError,
  MigrationPendingError,
  PermanentError,
  PublishForbiddenError,
  PublishTimeoutError,
  QueueFullError,
  QueueUnavailableError,
  RetryableError,
  TopologyMismatchError,
  UnroutableMessageError,
} = door

const codes: [InstanceType<typeof MessageQueueError>, string][] = [
  [new DeferError('later'), 'UNCLASSIFIED'],
  [new GiveWayError('others first', { resumeAt: '1', hasProgressed: true }), 'GIVES_WAY'],
  [new InvalidMessageError('chat.message', []), 'INVALID_MESSAGE'],
  [new MigrationPendingError({ queue: 'q', standIn: 's', command: 'c' }), 'MIGRATION_PENDING'],
  [new PermanentError('never'), 'UNCLASSIFIED'],
  [new PublishForbiddenError('no', { exchange: 'e', routingKey: 'k', user: 'u' }), 'PUBLISH_FORBIDDEN'],
  [new PublishTimeoutError('unknown'), 'PUBLISH_TIMEOUT'],
  [new QueueFullError('full'), 'QUEUE_FULL'],
  [new QueueUnavailableError('away', { reason: 'deadline' }), 'QUEUE_UNAVAILABLE'],
  [new RetryableError('later'), 'UNCLASSIFIED'],
  [new TopologyMismatchError({ queue: 'q', argument: 'a', found: '1', wanted: '2' }), 'TOPOLOGY_MISMATCH'],
  [new UnroutableMessageError('nowhere', { exchange: 'e', routingKey: 'k' }), 'UNROUTABLE'],
]

describe('the errors of the package', () => {
  test('are all in the table below', () => {
    const exported = Object.entries(door).flatMap(([name, value]) =>
      typeof value === 'function' && value.prototype instanceof Error && value !== MessageQueueError ? [name] : [],
    )
    expect(exported.sort()).toEqual(codes.map(([error]) => error.constructor.name))
  })

  const rows = codes.map(([error, code]) => [error.constructor.name, code, error] as const)
  test.each(rows)('%s has the name of its class and the code %s', (_name, code, error) => {
    expect(error).toBeInstanceOf(MessageQueueError)
    expect(error.name).toBe(error.constructor.name)
    expect(error.code).toBe(code)
    expect(error.stack).toContain(`${error.name}: ${error.message}`)
  })
})
