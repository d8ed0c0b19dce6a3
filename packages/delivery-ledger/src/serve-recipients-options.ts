import type { Logger } from '@mono/message-queue'
import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'
import type { ServeResult } from './serve-result.js'

export interface ServeRecipientsOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  /** Everybody whom the message is for. A recipient who is named twice is served once. */
  recipients: readonly string[]
  /** Recipients served at a time. */
  concurrency: number
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
