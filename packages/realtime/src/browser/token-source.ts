import { describeCause } from './describe-cause.js'
import { RealtimeError } from './realtime-error.js'
import { RealtimeToken, readClock } from './realtime-token.js'
import { withTimeLimit } from './with-time-limit.js'

export type GetToken = (context: { signal: AbortSignal }) => Promise<string>

export interface TokenSourceOptions {
  getToken: GetToken
  timeoutMs: number
  signal: AbortSignal
  random: () => number
}

/** Asks the application for tokens, and keeps the last one for as long as it need not be renewed. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  #token: RealtimeToken | undefined
  #isOutOfDate = false
  #tenantId: number | undefined

  constructor(options: TokenSourceOptions) {
    this.#options = options
  }

  /**
   * `allowOld`: if there is no new one, the last one is good enough, as long as it has not ended.
   *
   * @throws RealtimeError `TOKEN_UNAVAILABLE` or `TOKEN_INVALID`
   */
  async get({ allowOld }: { allowOld: boolean }): Promise<RealtimeToken> {
    const last = this.#token
    if (last !== undefined && last.renewInMs > 0 && !this.#isOutOfDate) return last
    // What is wanted from here on has to be in the next one.
    this.#isOutOfDate = false
    try {
      this.#token = await this.#ask()
      return this.#token
    } catch (error) {
      this.#isOutOfDate = true
      if (allowOld && last !== undefined && last.endsInMs > 0) return last
      throw error
    }
  }

  /** A newer one is wanted than the last. */
  get isOutOfDate(): boolean {
    return this.#isOutOfDate
  }

  /** The next `get` asks for a new one. Until there is one, the last one is still good. */
  setOutOfDate(): void {
    this.#isOutOfDate = true
  }

  /** The last one is good for nothing. */
  discard(): void {
    this.#token = undefined
  }

  async #ask(): Promise<RealtimeToken> {
    const { getToken, timeoutMs, signal, random } = this.#options
    const askedAt = readClock()
    const token = new RealtimeToken(await this.#call(getToken, timeoutMs, signal), askedAt, random)
    this.#tenantId ??= token.tenantId
    if (token.tenantId !== this.#tenantId) {
      const message = `getToken gave a token of tenant ${token.tenantId} after one of tenant ${this.#tenantId}; close this client and connect again for another user`
      throw new RealtimeError('TOKEN_INVALID', message)
    }
    return token
  }

  async #call(getToken: GetToken, ms: number, signal: AbortSignal): Promise<unknown> {
    try {
      return await withTimeLimit({ ms, signal }, (limit) => getToken({ signal: limit }))
    } catch (cause) {
      throw new RealtimeError('TOKEN_UNAVAILABLE', `getToken failed: ${describeCause(cause)}`, { cause })
    }
  }
}
