import type { ContentDigest } from './content-digest.js'

/**
 * The state of one message at one recipient:
 *
 * - `sending`: claimed until the lease ends; after that nobody knows whether it was sent
 * - `sent`, `failed`: final
 * - `unknown`: final; the provider may have taken it, and it must not be sent again unasked
 * - `retry`: certainly not sent; the message's next delivery claims it
 */
export type RecipientState = 'sending' | 'sent' | 'failed' | 'retry' | 'unknown'

export interface LedgerMessage {
  tenantId: number
  messageId: string
  /**
   * When the replay was asked for, if the message is replayed: recipients that became `failed` or `unknown` before that
   * time are claimed again, and those that become so during the replay are not.
   */
  replayedAt?: Date | undefined
  /**
   * Set if the message came without an id. A row that was finished more than a day ago is then an equal message's, and
   * its recipient is claimed again, but not in a replay. `first` if the message cannot have been delivered before.
   */
  derivedId?: 'first' | 'again' | undefined
  /** Kept with each claim. If it is left out, or was when the id was first claimed, contents are not compared. */
  content?: ContentDigest | undefined
}

/** The right to send one message to one recipient until the lease ends. */
export interface Claim {
  recipient: string
  /**
   * How often this recipient has been claimed. It is the fencing token: a result that comes with the number of an older
   * claim is ignored.
   */
  attempts: number
  /**
   * An earlier try may have reached the recipient: its outcome was never recorded. False in a replay of an `unknown`
   * recipient: somebody has decided to send it again.
   */
  ambiguous: boolean
  /** How many equal messages without an id were finished for this recipient before, each a day or more ago. */
  reuses: number
  /** The provider that may have it from an earlier try: no other is to be asked. Absent if none may, or nobody knows which. */
  provider?: string | undefined
}

export interface RecipientResult {
  recipient: string
  /** The number of the claim under which it was sent. */
  attempts: number
  state: Exclude<RecipientState, 'sending'>
  /** The provider's id for it. */
  providerId?: string | undefined
  /** The provider that has it, has refused it for good or may have it. Kept for mails only. */
  provider?: string | undefined
  /** Why it is `failed`, `retry` or `unknown`. */
  code?: string | undefined
  /** The same for people, as `toReason` makes it. */
  reason?: string | undefined
}

export interface UnsentClaim {
  recipient: string
  attempts: number
  /** Why nothing was tried. Default: the code that was recorded last stays, and its reason. */
  code?: string | undefined
  /** The same for people, as `toReason` makes it. */
  reason?: string | undefined
}

/** A recipient's row in the ledger. */
export interface RecipientRecord {
  state: RecipientState
  /**
   * It is `sending`, and the lease has not ended. The ledger cannot tell the caller's own lease from another process's;
   * a caller that holds claims has to.
   */
  leasedByOther: boolean
  lastCode?: string
  lastReason?: string | undefined
}

/**
 * Knows who has been served, and who is being served by which process; that makes the second delivery of a message
 * harmless. Leases are measured by PostgreSQL's clock. Claims and results of several messages go to it together.
 *
 * Every method throws DeferError or RetryableError, code `DATABASE_UNAVAILABLE`, if the database could not be asked;
 * the statement may have taken effect.
 */
export interface DeliveryLedger {
  /** For how long a claim holds without being renewed, in milliseconds. */
  readonly leaseMs: number
  /**
   * Claims, in one statement, those of the recipients who are to be served now: new ones, `retry` ones, those whose
   * lease ran out and, in a replay, `failed` and `unknown` ones. Recipients whom another process holds are left out.
   *
   * @throws PermanentError ID_CONFLICT if this id was claimed with another content, for whatever recipients; of two that
   *   are claimed at the same time one is the first. Nobody is claimed then.
   */
  claim(message: LedgerMessage, recipients: readonly string[]): Promise<Claim[]>
  /** Resolves with how many were recorded: those whose claim has not passed to another process. */
  record(message: LedgerMessage, results: readonly RecipientResult[]): Promise<number>
  /** Starts the leases again. Resolves with the recipients who are still held; the others are lost. */
  renew(message: LedgerMessage, claims: readonly Claim[]): Promise<string[]>
  /**
   * Releases claims under which nothing was sent, so that they can be claimed again at once. A claim that was ambiguous
   * stays so.
   */
  release(message: LedgerMessage, claims: readonly UnsentClaim[]): Promise<void>
  /** The records of the recipients; a recipient who has never been claimed has none. */
  read(message: LedgerMessage, recipients: readonly string[]): Promise<Map<string, RecipientRecord>>
}
