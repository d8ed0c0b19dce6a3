import type { ReceivedMessage } from '@mono/message-queue'
import { createContentDigest } from './content-digest.js'
import type { LedgerMessage } from './delivery-ledger.js'

type Received = Pick<ReceivedMessage, 'tenantId' | 'messageId' | 'replayedAt' | 'derivedId'>

/**
 * How a ledger knows a message.
 *
 * @param content what each recipient is to get, by the names of the message's fields. Not the recipients: a message that
 *   comes again for more of them is the same message, and the new ones are served.
 */
export function toLedgerMessage(message: Received, content: Readonly<Record<string, unknown>>): LedgerMessage {
  const { tenantId, messageId, replayedAt, derivedId } = message
  return { tenantId, messageId, replayedAt, derivedId, content: createContentDigest(content) }
}
