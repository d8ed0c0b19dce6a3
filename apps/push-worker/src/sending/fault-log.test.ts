import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createFaultLog } from './fault-log.js'

function setUp() {
  const clock = { now: 1_000_000 }
  const logger = createRecordingLogger()
  const faults = createFaultLog({ logger, now: () => clock.now })
  const report = (code: string) => faults.report(code, { origin: 'https://a.example.com' }, 'It is wrong')
  return { clock, logger, faults, report }
}

test('a fault is one error line an hour', () => {
  const { clock, logger, report } = setUp()
  report('A')
  clock.now += 60 * 60 * 1000 - 1
  report('A')
  expect(logger.lines).toMatchObject([
    { level: 'error', message: 'It is wrong', data: { code: 'A', origin: 'https://a.example.com' } },
  ])
  clock.now += 1
  report('A')
  expect(logger.lines).toHaveLength(2)
})

test('each fault has its own line, and another one when it was over meanwhile', () => {
  const { logger, faults, report } = setUp()
  report('A')
  report('B')
  faults.end('A')
  report('A')
  report('B')
  expect(logger.lines.map(({ data }) => (data as { code: string }).code)).toEqual(['A', 'B', 'A'])
})
