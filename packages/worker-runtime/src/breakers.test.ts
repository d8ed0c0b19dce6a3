import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { recordLogs } from '../test/support/record-logs.js'
import { type Breakers, createBreakers } from './breakers.js'

const answers = { database: false, smtp: false }
let breakers: Breakers

const probeOf = (name: keyof typeof answers) => async () => {
  if (!answers[name]) throw new Error('no answer')
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
  breakers.trip('database', 'down')
  breakers.trip('smtp', 'down')
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
  breakers.trip('database', 'down')
  const consumer = createFakeConsumer()
  breakers.attach(consumer)
  expect(consumer.calls).toEqual(['pause'])
})

test('a consumer that comes while all are closed is left alone', () => {
  const consumer = createFakeConsumer()
  breakers.attach(consumer)
  expect(consumer.calls).toEqual([])
})

test('what has no breaker cannot be tripped', () => {
  breakers.trip('printer', 'out of paper')
  expect(Object.keys(breakers.statuses)).toEqual(['database', 'smtp'])
})

test('a dependency that does not say when it was used counts as used by a delivery that was done', async () => {
  answers.database = true
  breakers.trip('database', 'down')
  await vi.advanceTimersByTimeAsync(200)
  breakers.onSettled({ queue: 'email.notifications', outcome: 'acked', attempt: 1, handlerMs: 3 })
  expect(breakers.statuses.database).toEqual({ state: 'closed' })
})
