import type { Claim, ServeResult } from '@mono/delivery-ledger'
import { createMessageId } from './create-message-id.js'
import { type EmailProvider, SendError, type SendReceipt } from './email-provider.js'
import { domainOf, type Sender } from './parse-sender.js'
import type { Recipients } from './recipient.js'
import type { MailContent } from './to-mail-content.js'

/** What is done about a mail that the provider may have taken. */
export type OnUnknown = 'resend' | 'hold'

export interface RecipientServerOptions {
  provider: EmailProvider
  from: Sender
  /** Where answers go; absent: to `from`. */
  replyTo?: Sender | undefined
  onUnknown: OnUnknown
  message: { tenantId: number; messageId: string }
  content: MailContent
  recipients: Recipients
  /** The keys of those to whom nothing is sent. */
  suppressed: ReadonlySet<string>
  /** The provider cannot be used, and has taken no mail since it was asked to take this one. */
  onProviderAway?(problem: SendError): void
}

/**
 * Makes the function that sends one message to one recipient. Every recipient gets a mail of their own, so that none
 * sees another's address and the answer is about that one only.
 *
 * Once the provider cannot be used, the message's other recipients are not tried.
 */
export function createRecipientServer(options: RecipientServerOptions) {
  const { provider, from, replyTo, onUnknown, message, content, recipients, suppressed, onProviderAway } = options
  const domain = domainOf(from.address)
  let providerProblem: SendError | undefined

  return async (claim: Claim, signal: AbortSignal): Promise<ServeResult> => {
    const { recipient, ambiguous, reuses, provider: only } = claim
    if (suppressed.has(recipient)) return { kind: 'failed', code: 'SUPPRESSED' }
    if (ambiguous && onUnknown === 'hold') return { kind: 'unknown', code: 'CLAIM_EXPIRED', provider: only }
    if (providerProblem) return { kind: 'defer', code: providerProblem.code, reason: providerProblem.message }

    const address = recipients.get(recipient)?.address ?? recipient
    const messageId = createMessageId({ ...message, recipient, domain, reuses })
    const ids = { tenantId: message.tenantId, messageId: message.messageId, recipient }
    const mail = { from, to: { address }, ...(replyTo && { replyTo }), messageId, ids, ...content }
    const startedAt = performance.now()
    try {
      return toResult(await provider.send(mail, { from: from.address, to: [address] }, signal, { only }), only)
    } catch (error) {
      if (!(error instanceof SendError)) throw error
      // If one provider may have the mail, its failure concerns this mail only.
      if (error.outcome === 'provider' && only === undefined) {
        providerProblem = error
        if (provider.tookAt < startedAt) onProviderAway?.(error)
      }
      return toFailure(error, { onUnknown, only })
    }
  }
}

/** @param only who may have the mail from an earlier try; that stays so until somebody has it for certain */
function toResult(receipt: SendReceipt, only: string | undefined): ServeResult {
  const { providerId, provider, accepted, rejected } = receipt
  if (accepted.length > 0) return { kind: 'sent', providerId, ...named(provider) }
  const [rejection] = rejected
  // A provider that names neither has taken nothing.
  if (rejection === undefined) return { kind: 'retry', code: 'NOT_ACCEPTED', ...named(only) }
  const { permanent, code, reason } = rejection
  return permanent
    ? { kind: 'failed', code, reason, ...named(provider) }
    : { kind: 'retry', code, reason, ...named(only) }
}

function toFailure(
  { outcome, code, message: reason, provider }: SendError,
  { onUnknown, only }: { onUnknown: OnUnknown; only: string | undefined },
): ServeResult {
  switch (outcome) {
    case 'provider':
      return { kind: 'defer', code, reason, ...(only !== undefined && { alone: true }) }
    case 'permanent':
      return { kind: 'failed', code, reason, ...named(provider) }
    case 'transient':
      return { kind: 'retry', code, reason, ...named(only) }
    case 'unknown':
      return { kind: onUnknown === 'hold' ? 'unknown' : 'retry', code, reason, ...named(provider) }
  }
}

function named(provider: string | undefined): { provider?: string } {
  return provider === undefined ? {} : { provider }
}
