// @ts-check
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { connect } from 'amqplib'
import { createEvent } from './event.mjs'

/** Plain amqplib: a confirm channel, and another message as soon as one is confirmed. @param {string} url */
export async function openPublisher(url) {
  const connection = await connect(url)
  const channel = await connection.createConfirmChannel()
  channel.on('return', ({ fields }) => connection.emit('error', new Error(`returned: ${JSON.stringify(fields)}`)))

  /** @param {(error: unknown) => void} onConfirmed */
  function publish(onConfirmed) {
    const [event, now] = [createEvent(), new Date()]
    const options = {
      mandatory: true,
      persistent: true,
      messageId: randomUUID(),
      type: 'audit.event',
      contentType: 'application/json',
      timestamp: Math.floor(now.getTime() / 1000),
      appId: 'mono',
      headers: { 'x-tenant-id': event.tenantId, 'x-schema-version': 1, 'x-published-at': now.toISOString() },
    }
    channel.publish('audit', 'audit.track', Buffer.from(JSON.stringify(event)), options, onConfirmed)
  }

  /** @type {(count: number, inFlight: number) => Promise<unknown>} */
  function publishAll(left, inFlight) {
    const publishInTurn = (/** @type {(error?: unknown) => void} */ done) => {
      if (left === 0) return done()
      left -= 1
      publish((error) => (error ? done(error) : publishInTurn(done)))
    }
    return Promise.all(Array.from({ length: inFlight }, () => promisify(publishInTurn)()))
  }

  return { publishAll, close: () => connection.close() }
}
