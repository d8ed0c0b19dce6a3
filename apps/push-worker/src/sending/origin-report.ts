/**
 * The outcome of a request, as far as it concerns its push service.
 * - `accepted`: it has taken a notification
 * - `alive`: it has answered, whatever it said about the device
 * - `refused`: it wants nothing for this endpoint now (401, 403, 429 …), maybe for `waitMs`; that says nothing about the
 *   push service until several different endpoints are refused with nothing accepted between
 * - `failing`: this request failed; several in a row close the gate
 * - `down`: nothing can be sent to it, and nothing more is to be sent for `waitMs`, by default for a time that grows with
 *   each closing in a row
 * - `none`: it says nothing about the push service
 */
export type OriginReport =
  | { kind: 'accepted' }
  | { kind: 'alive' }
  | { kind: 'none' }
  | { kind: 'refused'; code: string; waitMs?: number }
  | { kind: 'failing'; code: string }
  | { kind: 'down'; code: string; waitMs?: number | undefined }
