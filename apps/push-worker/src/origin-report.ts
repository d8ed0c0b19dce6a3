/**
 * The outcome of a request, as far as it concerns its push service.
 * - `alive`: it has answered, whatever it said about the device
 * - `failing`: this request failed; several in a row close the gate
 * - `closed`: nothing more is to be sent for `waitMs`, or for a time that grows with each closing in a row
 * - `none`: it says nothing about the push service
 */
export type OriginReport =
  | { kind: 'alive' }
  | { kind: 'none' }
  | { kind: 'failing'; code: string }
  | { kind: 'closed'; code: string; waitMs?: number }
