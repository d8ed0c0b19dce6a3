import { type EmailMessage, type EmailNotification, examples } from '@mono/contracts'
import type { ReceivedMessage } from '@mono/message-queue'

type Received = ReceivedMessage<'email.notifications'>
type Metadata = Partial<Pick<Received, 'messageId' | 'attempt' | 'headers' | 'replayedAt'>>

/** A mail as given, as the worker receives it. */
export function receivedEmailMessage(fields: Partial<EmailMessage> = {}, metadata: Metadata = {}): Received {
  const payload = { ...examples['email.message'], ...fields }
  return { ...received(payload), payload, type: 'email.message', routingKey: 'email.send', ...metadata }
}

/** A mail from a template, as the worker receives it. */
export function receivedEmailNotification(fields: Partial<EmailNotification> = {}, metadata: Metadata = {}): Received {
  const payload = { ...examples['email.notification'], data: { userName: 'Ada' }, ...fields }
  return {
    ...received(payload),
    payload,
    type: 'email.notification',
    routingKey: 'email.template',
    ...metadata,
  }
}

const received = (payload: Received['payload']) => ({
  bodyText: JSON.stringify(payload),
  messageId: 'message-1',
  tenantId: payload.tenantId,
  publishedAt: new Date(),
  attempt: 1,
  redelivered: false,
  headers: {},
})
