/**
 * The outcome of serving one recipient. The codes are short and constant: they end in the ledger and in messages to
 * operators. A reason is for people, in the provider's words: it goes through `toReason` before it is recorded or told.
 * A provider is named where there are several: who has it, has refused it for good or, of `retry` and `unknown`, may have it.
 *
 * - `sent`: the provider has taken it
 * - `failed`: it will never be taken
 * - `retry`: it was tried, certainly not taken, and may be taken at another time; an attempt of the message is counted
 * - `defer`: nothing was tried; no attempt is counted. `alone`: what others need is well
 * - `unknown`: it may have been taken, and must not be sent again unasked
 */
export type ServeResult =
  | { kind: 'sent'; providerId?: string | undefined; provider?: string | undefined }
  | { kind: 'failed'; code: string; reason?: string | undefined; provider?: string | undefined }
  | { kind: 'retry'; code: string; reason?: string | undefined; provider?: string | undefined }
  | { kind: 'defer'; code: string; delayMs?: number | undefined; reason?: string | undefined; alone?: boolean }
  | { kind: 'unknown'; code: string; reason?: string | undefined; provider?: string | undefined }
