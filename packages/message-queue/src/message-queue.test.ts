import { examples } from '@mono/contracts'
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
