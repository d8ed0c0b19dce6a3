/**
 * - `ACCESS_TOKEN_REFUSED`: the settings, or the clock, are wrong
 * - `ACCESS_TOKEN_UNAVAILABLE`: the token endpoint is away, or busy
 */
export type AccessTokenFailure = 'ACCESS_TOKEN_REFUSED' | 'ACCESS_TOKEN_UNAVAILABLE'

/** There is no access token now. */
export class AccessTokenError extends Error {
  override readonly name = 'AccessTokenError'
  readonly code: AccessTokenFailure
  /** The words of the token endpoint, or why there are none. */
  readonly reason: string
  /** The token endpoint's code for a refusal (RFC 6749, section 5.2), such as `invalid_client`. */
  readonly error: string | undefined
  /** Milliseconds until the token endpoint is asked again. */
  readonly delayMs: number

  constructor(
    code: AccessTokenFailure,
    { reason, error, delayMs }: { reason: string; error?: string | undefined; delayMs: number },
  ) {
    super(`There is no access token: ${reason}`)
    this.code = code
    this.reason = reason
    this.error = error
    this.delayMs = delayMs
  }
}
