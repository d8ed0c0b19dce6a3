import { describe, expect, test } from 'vitest'
import { PendingMessage } from '../publishing/pending-message.js'
import { PublishWindow } from '../publishing/publish-window.js'
import { PublishTimeoutError, QueueFullError, UnroutableMessageError } from './publish-errors.js'
import { createRefusedError, createReturnedError } from './publish-failures.js'

function sendTimes(times: number): PendingMessage {
  const message = {
    exchange: 'audit',
    routingKey: 'audit.track',
    body: Buffer.from('{}'),
    properties: { messageId: 'm-1' },
    mandatory: true,
    persistent: true,
    deadlineMs: 1_000,
  }
  const callbacks = { resolve() {}, reject() {}, onSettled() {} }
  const pending = new PendingMessage(message, 1_000, callbacks)
  for (let n = 0; n < times; n += 1) new PublishWindow().add(pending)
  return pending
}

describe('a message that the broker does not take', () => {
  test('is in no queue if it was sent once', () => {
    expect(createRefusedError(sendTimes(1))).toBeInstanceOf(QueueFullError)
    expect(createReturnedError(sendTimes(1), 'mono', 'NO_ROUTE')).toBeInstanceOf(UnroutableMessageError)
  })

  test('may be in a queue if it was sent again after its connection was lost', () => {
    expect(createRefusedError(sendTimes(2))).toBeInstanceOf(PublishTimeoutError)
    expect(createReturnedError(sendTimes(2), 'mono', 'NO_ROUTE')).toBeInstanceOf(PublishTimeoutError)
  })
})
