import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createCredentialsWatch } from './credentials-watch.js'

const origin = 'https://push.example.com'

function setUp() {
  const logger = createRecordingLogger()
  const clock = { now: 1_000_000 }
  return { logger, clock, watch: createCredentialsWatch({ logger, now: () => clock.now }) }
}

const deferred = {
  result: { kind: 'defer', code: 'VAPID_REJECTED', delayMs: 60_000 },
  origin: { kind: 'closed', code: 'VAPID_REJECTED', waitMs: 60_000 },
}

test('a push service that accepts none of our headers is left alone, and that is one error line', () => {
  const { logger, watch } = setUp()
  expect(watch.refused(origin, 403)).toEqual(deferred)
  expect(watch.refused(origin, 401)).toEqual(deferred)
  expect(logger.lines.map(({ level, data }) => [level, data])).toEqual([['error', { origin, status: 403 }]])
})

test('after it has accepted one, the next fault is a line again', () => {
  const { logger, clock, watch } = setUp()
  watch.refused(origin, 403)
  watch.accepted(origin)
  clock.now += 60_000
  watch.refused(origin, 403)
  expect(logger.lines).toHaveLength(2)
})

test('a push service that has just accepted one for another device has nothing against us but this subscription', () => {
  const { logger, clock, watch } = setUp()
  watch.accepted(origin)
  clock.now += 59_999
  expect(watch.refused(origin, 403)).toEqual({
    result: { kind: 'failed', code: 'VAPID_MISMATCH' },
    origin: { kind: 'alive' },
  })
  expect(watch.refused('https://other.example.com', 403)).toEqual(deferred)
  expect(logger.lines).toHaveLength(1)
})
