/**
 * The outcome of serving one recipient. The codes are short and constant: they end in the ledger and in messages to
 * operators. A reason is for people, in the provider's words: it goes through `toReason` before it is recorded or told.
 *
 * - `sent`: the provider has taken it
 * - `failed`: it will never be taken
 * - `retry`: it was tried, certainly not taken, and may be taken at another time; an attempt of the message is counted
 * - `defer`: nothing was tried; no attempt is counted
 * - `unknown`: it may have been taken, and must not be sent again unasked
 */
export type ServeResult =
  | { kind: 'sent'; providerId?: string | undefined }
  | { kind: 'failed'; code: string; reason?: string | undefined }
  | { kind: 'retry'; code: string; reason?: string | undefined }
  | { kind: 'defer'; code: string; delayMs?: number | undefined; reason?: string | undefined }
  | { kind: 'unknown'; code: string; reason?: string | undefined }
