import { SendError, type SendOutcome, type SendReceipt } from '../email-provider.js'

/** The answer of one provider about one mail. */
export type MailOutcome =
  | { kind: 'sent'; receipt: SendReceipt }
  | { kind: SendOutcome; error: SendError }
  /** It was taken back before the provider had it. `turnAt`: when its last turn came; undefined if it only waited. */
  | { kind: 'moved'; turnAt: number | undefined }

export type MailOutcomeKind = MailOutcome['kind']

/** A receipt without anybody who was accepted is a refusal like any other. */
export function toOutcome(receipt: SendReceipt): MailOutcome {
  if (receipt.accepted.length > 0) return { kind: 'sent', receipt }
  const [rejection] = receipt.rejected
  const code = rejection?.code ?? 'NOT_ACCEPTED'
  const kind = rejection?.permanent ? 'permanent' : 'transient'
  const reason = rejection?.reason ?? `The provider has not accepted the recipient (${code})`
  return { kind, error: new SendError(reason, { outcome: kind, code }) }
}
