import { expect, test } from 'vitest'
import { createRecordingLogger } from './recording-logger.js'

test('lines of children are recorded in order, with their bindings', () => {
  const logger = createRecordingLogger()
  logger.info({ a: 1 }, 'started')
  logger.child({ queue: 'q' }).child({ messageId: 'm' }).warn({ a: 2 }, 'late')
  expect(logger.lines).toEqual([
    { level: 'info', data: { a: 1 }, message: 'started' },
    { level: 'warn', data: { queue: 'q', messageId: 'm', a: 2 }, message: 'late' },
  ])
})
