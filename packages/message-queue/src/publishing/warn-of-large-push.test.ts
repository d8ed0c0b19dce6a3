import { examples } from '@mono/contracts'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { warnOfLargePush } from './warn-of-large-push.js'

function linesFor(bytes: number) {
  const logger = createRecordingLogger()
  const empty = { ...examples['push.notification'], title: '', body: '', data: {} }
  const body = 'x'.repeat(bytes - JSON.stringify({ title: '', body: '', data: {} }).length)
  warnOfLargePush({ ...empty, body }, { messageId: 'message-1', logger })
  return logger.lines
}

test('a push notification that every device takes is no warning', () => {
  expect(linesFor(2830)).toEqual([])
})

test('a byte more is one, with the message and its size', () => {
  expect(linesFor(2831)).toMatchObject([{ level: 'warn', data: { messageId: 'message-1', bytes: 2831 } }])
})
