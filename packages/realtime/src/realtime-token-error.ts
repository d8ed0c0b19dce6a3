/** No token was made, because an option of `createRealtimeToken` cannot be used. */
export class RealtimeTokenError extends Error {
  override readonly name = 'RealtimeTokenError'
  readonly code = 'INVALID_OPTION'
  /** The option, such as `tenantId` or `conversations[3]`. */
  readonly field: string

  constructor(field: string, reason: string) {
    super(`createRealtimeToken: ${field}: ${reason}`)
    this.field = field
  }
}
