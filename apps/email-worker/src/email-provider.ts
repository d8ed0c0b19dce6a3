/** One mail as it goes to a provider. All text; nothing in it is a path or a URL to be read. */
export interface Mail {
  from: { name?: string; address: string }
  to: { address: string }
  /** Where answers go; absent: to `from`. */
  replyTo?: { name?: string; address: string }
  /** One line. */
  subject: string
  text?: string
  html?: string
  /** With its angle brackets. The same at every try. */
  messageId: string
  /** Whose mail it is to us. A provider that reports later what became of it gives them back. */
  ids?: MailIds
}

export interface MailIds {
  tenantId: number
  /** The id of the message that asks for the mail. */
  messageId: string
  /** The recipient's key in the ledger. */
  recipient: string
}

/** Who is told to the provider, whatever the headers say. */
export interface Envelope {
  from: string
  to: readonly string[]
}

export interface Rejection {
  address: string
  /** For the ledger: `SMTP_550`. */
  code: string
  /** Trying again cannot help. */
  permanent: boolean
  /** The provider's words, for people. */
  reason?: string
}

export interface SendReceipt {
  /** By what the provider knows the mail. */
  providerId: string
  /** The provider that has taken or refused it. Told where there may be several. */
  provider?: string
  /** Success may be partial: every address of the envelope is in one of the two. */
  accepted: readonly string[]
  rejected: readonly Rejection[]
}

export interface SendOptions {
  /**
   * Aborted when the mail is to go by another provider. Heeded only while this one certainly has not got it: then `send`
   * rejects with its reason. A mail that has been handed over waits for its answer. Default: never.
   */
  withdraw?: AbortSignal
  /** The one provider that is to be asked, where there are several: it may have the mail from an earlier try. Default: any. */
  only?: string | undefined
  /** Called when the mail's turn has come; before, it waits for other mails or for the pace. A mail may have several turns. */
  onTurn?: () => void
}

/** Somebody who sends mails: an SMTP server, or a service with an HTTP interface. Knows nothing of messages and ledgers. */
export interface EmailProvider {
  /** When it last took a mail, by `performance.now()`; 0 if never. */
  readonly tookAt: number
  /**
   * Sends one mail. Settles within a deadline of its own.
   *
   * @param signal gives up; what has been handed over by then is of unknown outcome
   * @throws SendError
   */
  send(mail: Mail, envelope: Envelope, signal: AbortSignal, options?: SendOptions): Promise<SendReceipt>
  /** Asks whether it can be used, without sending. Takes some seconds at most. @throws Error if it cannot */
  probe(): Promise<void>
  /** To be called when nothing is being sent. */
  close(): Promise<void>
}

/** A provider that sends at the pace that the far end allows. */
export interface PacedProvider extends EmailProvider {
  /** How many mails may be on their way at a time, as the far end has it now. */
  readonly concurrency: number
  /** When it was last handed the whole of a mail, answered or not, by `performance.now()`; 0 if never. */
  readonly gotAt: number
  /** Milliseconds until the next mail may be begun. */
  readonly pausedForMs: number
}

/**
 * - `provider`: the provider is away, wants to be left alone or refuses us, whatever the mail; no attempt is counted
 * - `permanent`: this mail will never be taken
 * - `transient`: it was not taken, and may be at another time
 * - `unknown`: the provider had all of it, and the answer was lost: it may have been taken
 */
export type SendOutcome = 'provider' | 'permanent' | 'transient' | 'unknown'

/** A mail that was not sent, or of which nobody knows. */
export class SendError extends Error {
  override readonly name = 'SendError'
  readonly outcome: SendOutcome
  /** For the ledger: `SMTP_554`, `ETIMEDOUT`. */
  readonly code: string
  /** The provider that has refused the mail, or may have it. Told where there may be several. */
  readonly provider: string | undefined

  constructor(message: string, { outcome, code, provider, ...options }: SendErrorOptions) {
    super(message, options)
    this.outcome = outcome
    this.code = code
    this.provider = provider
  }

  /** The same, told with who said it. */
  by(provider: string): SendError {
    const { message, outcome, code, cause } = this
    return new SendError(message, { outcome, code, provider, cause })
  }
}

interface SendErrorOptions extends ErrorOptions {
  outcome: SendOutcome
  code: string
  provider?: string | undefined
}
