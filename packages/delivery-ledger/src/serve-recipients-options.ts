import type { Logger } from '@mono/message-queue'
import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'
import type { ServeResult } from './serve-result.js'

export interface ServeRecipientsOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  /** Everybody whom the message is for. A recipient who is named twice is served once. */
  recipients: readonly string[]
  /**
   * Names the group of a recipient, by letters and digits. Each group is served at its own `concurrency`, so recipients of one
   * that is slow or stands still hold up none of the others. Default: all are in one.
   */
  groupOf?(recipient: string): string
  /** Of the message, if it gave way to others: those who come first have been tried. Default: with the first. */
  resumeAt?: string | undefined
  /** Recipients of a group served at a time. */
  concurrency: number
  /**
   * Waits until a group may be served, of which so many recipients are left; what it resolves with is called when that is
   * over. Nobody of the group is claimed before. It should heed the signal, which is aborted when nobody else is to be
   * served. A DeferError that it throws says that nobody else can be. Default: each is served at once.
   */
  admitGroup?(group: { name: string; size: number }, signal: AbortSignal): Promise<() => void>
  /**
   * Waits until one more recipient may be claimed and served; what it resolves with is called when that is over. Without it,
   * recipients are claimed ahead. It should heed the signal, which is aborted when nobody else is to be served. A DeferError
   * that it throws says that nobody else can be.
   */
  admit?(signal: AbortSignal): Promise<() => void>
  /** Whether recipients of other messages wait to be admitted: then no more are claimed than are admitted. Default: none. */
  othersAreInLine?(): boolean
  /** Whether other messages may wait for this one; then it gives way when it has served its share. Default: none wait. */
  othersMayWait?(): boolean
  /** The signal of the handler: when it is aborted, nobody else is served. */
  signal: AbortSignal
  logger: Logger
  /**
   * Sends to one recipient, and returns what became of it. It should heed the signal.
   *
   * When it throws, nobody else is served and the error is thrown on. The signal's reason and a DeferError say that
   * nothing was sent. After any other error nobody knows, and the claim is left until its lease ends.
   */
  serve(claim: Claim, signal: AbortSignal): Promise<ServeResult>
  /** Called when somebody is not served because an equal message without an id has served them, or is about to. */
  onMerged?: (() => void) | undefined
}
