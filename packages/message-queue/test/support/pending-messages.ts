import type { OutgoingMessage } from '../../src/publishing/outgoing-message.js'
import { PendingMessage } from '../../src/publishing/pending-message.js'

/** A message with a body of its own; mandatory and persistent, with a deadline of 10 s. */
export function createOutgoingMessage(messageId: string, fields: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    exchange: 'messages',
    routingKey: 'chat.direct',
    body: Buffer.from(messageId),
    properties: { messageId, type: 'chat.message' },
    mandatory: true,
    persistent: true,
    deadlineMs: 10_000,
    ...fields,
  }
}

export interface TestPendingMessage extends PendingMessage {
  outcome: () => unknown
}

/** Nobody waits for it: `outcome` gives 'pending', 'resolved' or the error. */
export function createPendingMessage(messageId: string, fields: Partial<OutgoingMessage> = {}): TestPendingMessage {
  let outcome: unknown = 'pending'
  const pending = new PendingMessage(createOutgoingMessage(messageId, fields), Number.POSITIVE_INFINITY, {
    resolve: () => {
      outcome = 'resolved'
    },
    reject: (error) => {
      outcome = error
    },
    onSettled: () => undefined,
  })
  return Object.assign(pending, { outcome: () => outcome })
}
