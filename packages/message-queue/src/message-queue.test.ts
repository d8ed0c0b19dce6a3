import { examples } from '@mono/contracts'
import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test } from 'vitest'
import { createMessageQueue } from './message-queue.js'

describe('a client that was closed before its first use', () => {
  test.each(['close', 'drain'] as const)('sends no more after %s', async (end) => {
    const messageQueue = createMessageQueue({ url: 'amqp://localhost:1/none' })
    await messageQueue[end]()
    const closed = { code: 'QUEUE_UNAVAILABLE', reason: 'closed' }
    await expect(messageQueue.sendAuditEvent(examples['audit.event'])).rejects.toMatchObject(closed)
    await expect(messageQueue.connect()).rejects.toMatchObject(closed)
    expect(messageQueue.connected).toBe(false)
  })
})

describe('a send that cannot be meant is refused before anything is sent:', () => {
  const messageQueue = createMessageQueue({ url: 'amqp://localhost:1/none' })

  test('a kind that does not exist', async () => {
    const kind = 'unknown' as 'group'
    await expect(messageQueue.sendChatMessage(examples['chat.message'], { kind })).rejects.toThrow(
      "No work queue takes the routing key 'chat.unknown'; use one of chat.direct, chat.group.",
    )
  })

  test('a message id that is none, in the options or in the chat message that brings it along', async () => {
    const refusal = {
      issues: [{ path: 'messageId', reason: 'expected an id of 1 to 128 bytes, found an empty string' }],
    }
    const messageId = ''
    await expect(messageQueue.sendAuditEvent(examples['audit.event'], { messageId })).rejects.toMatchObject(refusal)
    await expect(messageQueue.sendChatMessage({ ...examples['chat.message'], messageId })).rejects.toMatchObject(
      refusal,
    )
  })

  test('and no connection was made for it', () => {
    expect(messageQueue.health()).toMatchObject({ connection: 'idle', buffered: 0 })
  })
})

test('a push notification that some devices do not take is a warning when it is sent', async () => {
  const logger = createRecordingLogger()
  const messageQueue = createMessageQueue({ url: 'amqp://localhost:1/none', logger })
  const send = async (body: string) => {
    const aborted = { signal: AbortSignal.abort(new Error('not sent')), messageId: 'message-1' }
    await messageQueue.sendPushNotification({ ...examples['push.notification'], body }, aborted).catch(() => undefined)
  }
  await send('x'.repeat(2000))
  expect(logger.lines).toEqual([])
  await send('x'.repeat(3300))
  expect(logger.lines).toMatchObject([{ level: 'warn', data: { messageId: 'message-1' } }])
  await messageQueue.close()
})
