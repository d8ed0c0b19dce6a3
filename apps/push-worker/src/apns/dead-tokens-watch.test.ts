import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import type { PushVerdict } from '../sending/push-verdict.js'
import { createDeadTokensWatch } from './dead-tokens-watch.js'

const origin = 'https://api.push.example.com'
const sent: PushVerdict = { result: { kind: 'sent' }, origin: { kind: 'accepted' } }
const failed: PushVerdict = { result: { kind: 'failed', code: 'INVALID_TOKEN' }, origin: { kind: 'alive' } }
const dead: PushVerdict = { ...failed, disable: 'invalid-token' }

function setUp() {
  const clock = { now: 0 }
  const logger = createRecordingLogger()
  const watch = createDeadTokensWatch({ logger, now: () => clock.now })
  /** How many of so many verdicts are left as they are. */
  const countKept = (count: number, verdict: PushVerdict, at = origin) =>
    Array.from({ length: count }, () => watch.judge(at, verdict)).filter((judged) => judged === verdict).length
  return { clock, logger, watch, countKept }
}

test('of many answers, tokens that are dead are a few', () => {
  const { logger, countKept } = setUp()
  countKept(400, sent)
  expect(countKept(100, dead)).toBe(100)
  expect(logger.lines).toEqual([])
})

test('more than a fifth of them is a fault of ours: nobody more is disabled, and one error is logged', () => {
  const { logger, watch, countKept } = setUp()
  countKept(80, sent)
  expect(countKept(30, dead)).toBe(20)
  expect(watch.judge(origin, dead)).toEqual(failed)
  expect(logger.lines).toMatchObject([{ level: 'error', data: { origin, answers: 101, dead: 21 } }])
})

test('nine are no sign of anything, however few others there are; the tenth is', () => {
  const { countKept } = setUp()
  expect(countKept(20, dead)).toBe(9)
})

test('another origin has its own', () => {
  const { countKept } = setUp()
  countKept(20, dead)
  expect(countKept(5, dead, 'https://other.example.com')).toBe(5)
})

test('a minute remembers the one before it, and no more', () => {
  const { clock, countKept } = setUp()
  countKept(20, dead)
  clock.now += 60_000
  expect(countKept(1, dead)).toBe(0)
  clock.now += 120_000
  expect(countKept(9, dead)).toBe(9)
})

test('it is over when others are accepted, and told again when it comes again', () => {
  const { logger, countKept } = setUp()
  countKept(20, dead)
  countKept(500, sent)
  expect(countKept(10, dead)).toBe(10)
  countKept(200, dead)
  expect(logger.lines).toHaveLength(2)
})
