import { type WorkQueueName, workQueueNames, workQueues } from '@mono/rascal-config'
import { describe, expect, test } from 'vitest'
import { GiveWayError } from '../../errors/handler-errors.js'
import type { Failure, GivingWay } from './classify-failure.js'
import { decideSettlement } from './decide-settlement.js'

const error = new Error('no luck')
const retry: Failure = { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', error }
const defer: Failure = { kind: 'defer', code: 'DATABASE_UNAVAILABLE', error }
const deadLetter: Failure = { kind: 'dead-letter', code: 'PROVIDER_REJECTED', error }

function decide(name: WorkQueueName, failure: Failure | GivingWay, attempt: number, ageMs = 0) {
  return decideSettlement(failure, { queue: workQueues[name], attempt, ageMs })
}

const plans: [WorkQueueName, string, string][] = [
  ['chat.messages', '1s', '5s'],
  ['push.notifications', '10s', '60s'],
  ['email.notifications', '60s', '15m'],
  ['audit.events', '10s', '60s'],
]

describe('a failure that may pass', () => {
  test.each(plans)('of %s waits %s, then %s, and is then dead-lettered', (name, first, second) => {
    const code = 'PROVIDER_UNAVAILABLE'
    expect(decide(name, retry, 1)).toMatchObject({ kind: 'retry', step: { name: first }, attempts: 1, code, error })
    expect(decide(name, retry, 2)).toMatchObject({ kind: 'retry', step: { name: second }, attempts: 2, code, error })
    expect(decide(name, retry, 3)).toEqual({ kind: 'dead-letter', attempts: 3, code, error })
  })

  test.each([4, 1_000])('is dead-lettered at attempt %i, which nobody counts on', (attempt) => {
    expect(decide('push.notifications', retry, attempt)).toMatchObject({ kind: 'dead-letter', attempts: attempt })
  })

  test('waits for the last step again where a plan has more attempts than steps', () => {
    const queue = { ...workQueues['push.notifications'], maxAttempts: 5 }
    const settlement = decideSettlement(retry, { queue, attempt: 4, ageMs: 0 })
    expect(settlement).toMatchObject({ kind: 'retry', step: { name: '60s' } })
  })

  test('is dead-lettered where a plan has no steps', () => {
    const queue = { ...workQueues['push.notifications'], retrySteps: [] }
    const settlement = decideSettlement(retry, { queue, attempt: 1, ageMs: 0 })
    expect(settlement.kind).toBe('dead-letter')
  })
})

describe('a failure that cannot pass', () => {
  test.each(workQueueNames)('of %s is dead-lettered at the first attempt, which counts', (name) => {
    expect(decide(name, deadLetter, 1)).toEqual({ kind: 'dead-letter', code: 'PROVIDER_REJECTED', error, attempts: 1 })
  })
})

describe('a deferral', () => {
  test.each(plans)('of %s waits for the shortest step, %s, unless told otherwise', (name, first) => {
    const code = 'DATABASE_UNAVAILABLE'
    expect(decide(name, defer, 1)).toMatchObject({ kind: 'defer', step: { name: first }, code, error })
  })

  test.each([1, 2, 3, 50])('at attempt %i leaves the count as it was', (attempt) => {
    expect(decide('push.notifications', defer, attempt)).toMatchObject({ kind: 'defer', attempts: attempt - 1 })
  })

  test.each([
    [-1, '10s'],
    [0, '10s'],
    [10_000, '10s'],
    [10_001, '60s'],
    [60_000, '60s'],
    [60_001, '60s'],
    [Number.POSITIVE_INFINITY, '60s'],
    [Number.NaN, '60s'],
  ])('for %d ms takes the shortest step that is long enough, else the longest: %s', (delayMs, step) => {
    expect(decide('push.notifications', { ...defer, delayMs }, 1)).toMatchObject({
      kind: 'defer',
      step: { name: step },
    })
  })

  test.each(workQueueNames)('of %s goes on as long as the message is no older than the TTL', (name) => {
    expect(decide(name, defer, 1, workQueues[name].ttlMs).kind).toBe('defer')
  })

  test.each(workQueueNames)('of %s ends with EXPIRED when the message is older than the TTL', (name) => {
    const settlement = decide(name, defer, 2, workQueues[name].ttlMs + 1)
    expect(settlement).toEqual({ kind: 'dead-letter', code: 'EXPIRED', error, attempts: 1 })
  })

  test('needs a step to wait for', () => {
    const queue = { ...workQueues['push.notifications'], retrySteps: [] }
    const decideWithoutSteps = () => decideSettlement(defer, { queue, attempt: 1, ageMs: 0 })
    expect(decideWithoutSteps).toThrow('Expected push.notifications to have a retry step, found none.')
  })
})

describe('giving way', () => {
  const givingWay: GivingWay = {
    kind: 'give-way',
    error: new GiveWayError('others first', { resumeAt: '100', hasProgressed: true }),
  }

  test.each(['push.notifications', 'email.notifications'] as const)(
    'at %s waits a second, and is no attempt',
    (name) => {
      expect(decide(name, givingWay, 2)).toEqual({
        kind: 'give-way',
        step: { name: '1s', delayMs: 1_000 },
        error: givingWay.error,
        attempts: 1,
      })
    },
  )

  test('is progress: a message never expires by it', () => {
    expect(decide('email.notifications', givingWay, 1, Number.POSITIVE_INFINITY).kind).toBe('give-way')
  })

  test('without progress ends when the message is older than the TTL', () => {
    const error = new GiveWayError('others first', { resumeAt: '100', hasProgressed: false })
    const { ttlMs } = workQueues['email.notifications']
    expect(decide('email.notifications', { kind: 'give-way', error }, 1, ttlMs).kind).toBe('give-way')
    expect(decide('email.notifications', { kind: 'give-way', error }, 1, ttlMs + 1)).toMatchObject({ code: 'EXPIRED' })
  })

  test.each(['chat.messages', 'audit.events'] as const)(
    'at %s, whose messages are served as a whole, is a bug',
    (name) => {
      expect(decide(name, givingWay, 1)).toMatchObject({ kind: 'dead-letter', code: 'HANDLER_BUG' })
    },
  )
})

test('a deferral after a part of the work was done never expires', () => {
  const failure: Failure = { ...defer, kind: 'defer', hasProgressed: true }
  const ageMs = 2 * workQueues['email.notifications'].ttlMs
  expect(decide('email.notifications', failure, 1, ageMs)).toMatchObject({ kind: 'defer', hasProgressed: true })
})
