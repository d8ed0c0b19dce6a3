import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { recordLogs } from '../test/support/record-logs.js'
import { type Breakers, createBreakers } from './breakers.js'

const answers = { database: false, smtp: false }
const queue = 'email.notifications'
let breakers: Breakers

const probeOf = (name: keyof typeof answers) => async () => {
  if (!answers[name]) throw new Error('no answer')
}

function open(code: 'DATABASE_UNAVAILABLE' | 'PROVIDER_UNAVAILABLE'): void {
  for (let n = 0; n < 5; n += 1) breakers.onSettled({ queue, outcome: 'deferred', code, attempt: 1, handlerMs: 3 })
}

beforeEach(() => {
  vi.useFakeTimers()
  Object.assign(answers, { database: false, smtp: false })
  breakers = createBreakers(recordLogs().logger)
  breakers.add({ name: 'database', code: 'DATABASE_UNAVAILABLE', probe: probeOf('database') })
  breakers.add({ name: 'smtp', code: 'PROVIDER_UNAVAILABLE', probe: probeOf('smtp') })
})

afterEach(() => {
  breakers.stop()
  vi.useRealTimers()
})

test('a consumer is paused while any breaker is open', async () => {
  const consumer = createFakeConsumer()
  breakers.attach(consumer)
  open('DATABASE_UNAVAILABLE')
  open('PROVIDER_UNAVAILABLE')
  expect(consumer.state).toBe('paused')
  answers.database = true
  await vi.advanceTimersByTimeAsync(10_000)
  expect(breakers.statuses).toEqual({ database: { state: 'trial' }, smtp: { state: 'open', error: 'no answer' } })
  expect(consumer.state).toBe('paused')
  answers.smtp = true
  await vi.advanceTimersByTimeAsync(10_000)
  expect(consumer.state).toBe('consuming')
})

test('a consumer that comes while a breaker is open is paused', () => {
  open('DATABASE_UNAVAILABLE')
  const consumer = createFakeConsumer()
  breakers.attach(consumer)
  expect(consumer.calls).toEqual(['pause'])
})

test('a consumer that comes while all are closed is left alone', () => {
  const consumer = createFakeConsumer()
  breakers.attach(consumer)
  expect(consumer.calls).toEqual([])
})

test('deliveries that are deferred for something else open none', () => {
  for (let n = 0; n < 20; n += 1)
    breakers.onSettled({ queue, outcome: 'deferred', code: 'UNCLASSIFIED', attempt: 1, handlerMs: 3 })
  expect(breakers.statuses).toEqual({ database: { state: 'closed' }, smtp: { state: 'closed' } })
})

test('a dependency that does not say when it was used counts as used by a delivery that was done', async () => {
  answers.database = true
  open('DATABASE_UNAVAILABLE')
  await vi.advanceTimersByTimeAsync(200)
  breakers.onSettled({ queue, outcome: 'acked', attempt: 1, handlerMs: 3 })
  expect(breakers.statuses.database).toEqual({ state: 'closed' })
})
