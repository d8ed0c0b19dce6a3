/**
 * - `TOKEN_UNAVAILABLE`: `getToken` failed, or took too long; it is asked again
 * - `TOKEN_INVALID`: what `getToken` gave is no token for this client; it is asked again
 * - `TOKEN_REFUSED`: the broker does not take the token: its key or its clock differs, or the token has ended
 * - `NOT_IN_TOKEN`: the token does not name the conversation; it stays `offline` until a later token does
 * - `SUBSCRIPTION_REFUSED`: the broker refuses the conversation, which stays `offline`; it is asked again after ten minutes,
 *   or with the next token
 * - `UNSUPPORTED`: the page cannot subscribe to this conversation, because it is not in a secure context
 * - `CONNECTION_FAILED`: the broker was not reached; it is tried again
 * - `CONNECTION_LOST`: the connection ended; the next one is opened
 * - `INVALID_BROADCAST`: a message was dropped that is not one of its conversation; if there is a right one, it is loaded
 * - `LOAD_FAILED`: `loadAfter` failed, or took too long; it is asked again
 * - `INVALID_LOADED`: the answer of `loadAfter`, or a part of it, was dropped; it is asked again
 * - `GAP_NOT_FILLED`: `loadAfter` does not have what is missing; it is asked again
 * - `CALLBACK_FAILED`: `onMessage` or `onState` threw; the next ones are called
 */
export type RealtimeErrorCode =
  | 'TOKEN_UNAVAILABLE'
  | 'TOKEN_INVALID'
  | 'TOKEN_REFUSED'
  | 'NOT_IN_TOKEN'
  | 'SUBSCRIPTION_REFUSED'
  | 'UNSUPPORTED'
  | 'CONNECTION_FAILED'
  | 'CONNECTION_LOST'
  | 'INVALID_BROADCAST'
  | 'LOAD_FAILED'
  | 'INVALID_LOADED'
  | 'GAP_NOT_FILLED'
  | 'CALLBACK_FAILED'

/** Something went wrong. The client goes on by itself, so this is for people and logs. */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError'
  readonly code: RealtimeErrorCode
  /** The conversation, if it is about one. */
  readonly conversationId: string | undefined

  constructor(code: RealtimeErrorCode, message: string, options: { conversationId?: string; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    this.code = code
    this.conversationId = options.conversationId
  }
}
