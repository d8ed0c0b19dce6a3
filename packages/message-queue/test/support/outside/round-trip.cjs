// What each form of application does with the client: it sends one event, and consumes one.

const event = {
  eventType: 'USER_UPDATED',
  userId: 'user_123',
  tenantId: 1,
  entityType: 'User',
  entityId: 'user_456',
  changes: { email: 'new@example.com' },
  timestamp: new Date(),
}

/** @param {typeof import('@mono/message-queue')} client */
module.exports = async function roundTrip({ InvalidMessageError, MessageQueueError, messageQueue }) {
  /** @type {(consumed: unknown) => void} */
  let onConsumed = () => {}
  const consumed = new Promise((resolve) => {
    onConsumed = resolve
  })
  await messageQueue.consumeMessages('audit.events', async ({ payload }) => onConsumed(payload))
  await messageQueue.sendAuditEvent(event)
  const payload = await consumed
  const refused = await messageQueue.sendAuditEvent({ ...event, userId: '' }).catch((error) => error)
  await messageQueue.drain()
  return {
    arrived: JSON.stringify(payload) === JSON.stringify(event),
    refused: refused instanceof InvalidMessageError && refused instanceof MessageQueueError,
  }
}
