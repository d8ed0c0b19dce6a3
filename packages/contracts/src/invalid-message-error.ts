import type { MessageType } from './catalog.js'
import { MessageQueueError } from './message-queue-error.js'

/** One fault of a message. */
export interface MessageIssue {
  /** Where: `recipientIds[3]`, `changes.a.b`; '' for the whole body. */
  path: string
  /** What was expected and what kind of value was found. Never holds the value itself. */
  reason: string
}

const issuesInMessage = 20

/**
 * A payload that is not what its message type asks for: nothing was sent, or what arrived cannot be handled. Sending or
 * handling the same payload again fails again. `issues` lists every fault (at most 100), `message` the first 20; both
 * are fit for logs: they name fields and kinds of values, never values.
 */
export class InvalidMessageError extends MessageQueueError {
  readonly code = 'INVALID_MESSAGE'
  readonly messageType: MessageType
  readonly issues: MessageIssue[]

  /** @param advice a sentence for the end of the message */
  constructor(messageType: MessageType, issues: MessageIssue[], advice?: string) {
    super(advice === undefined ? toMessage(messageType, issues) : `${toMessage(messageType, issues)}. ${advice}`)
    this.name = 'InvalidMessageError'
    this.messageType = messageType
    this.issues = issues
  }
}

function toMessage(messageType: MessageType, issues: readonly MessageIssue[]): string {
  const listed = issues
    .slice(0, issuesInMessage)
    .map(({ path, reason }) => (path === '' ? reason : `${path}: ${reason}`))
  const hidden = issues.length - listed.length
  if (hidden > 0) listed.push(`and ${hidden} more`)
  return `Invalid ${messageType}: ${listed.join('; ')}`
}
