import { type HttpOriginClient, HttpRequestError } from '@mono/http-client'
import type { Logger } from '@mono/message-queue'
import { backoffMs, untilAborted, withDeadline } from '@mono/waiting'
import { AccessTokenError } from './access-token-error.js'
import { classifyTokenAnswer, type TokenVerdict } from './classify-token-answer.js'

export interface AccessTokensOptions {
  /** The address of the token endpoint: `https:`. */
  url: URL
  /** Makes the form that asks for a token. `now`: milliseconds since 1970. */
  createForm(now: number): URLSearchParams
  /**
   * The error line for people when the token endpoint refuses: it names what they have to look at.
   * @param error the endpoint's code for it (RFC 6749, section 5.2), such as `invalid_client`
   */
  adviseOnRefusal(error: string | undefined): string
  /** Called with the refresh token that is to be used from now on, if the endpoint has given one out. */
  onRefreshToken?(refreshToken: string): void
  client: Pick<HttpOriginClient, 'request'>
  logger: Logger
  /** For a request to the token endpoint, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970; for what others are told. */
  now?: () => number
  /** Milliseconds of a clock that never goes back; for how long something lasts. */
  uptime?: () => number
  /** From 0 to 1. Default `Math.random`. */
  random?: () => number
}

interface AccessToken {
  value: string
  /** By `uptime`, as `endsAt`. */
  renewAt: number
  endsAt: number
}

interface Failure {
  verdict: FailedVerdict
  /** Failures in a row are counted. */
  count: number
  /** By `uptime`. */
  askAgainAt: number
}

type FailedVerdict = Exclude<TokenVerdict, { kind: 'granted' }>

/** A token is renewed so long before its end that nobody notices when the token endpoint is away for minutes. */
const marginMs = 5 * 60 * 1000

/** Only somebody who changes the settings, or the clock, ends a refusal. */
const refusedWaitMs = 60_000

/** Work has to go on within 10 s of the token endpoint's return. */
const unavailableTimes = { first: 1_000, max: 8_000 }

/**
 * An access token (RFC 6749, RFC 6750).
 *
 * | token | what `get` does |
 * | --- | --- |
 * | none, or at its end | waits for one |
 * | to be renewed | gives it out, while another is asked for |
 * | fresh | gives it out |
 *
 * One request to the token endpoint is under way at a time, whoever waits for it. After a failure none is made for a
 * while; a token that has not ended is used meanwhile, and without one `get` fails at once.
 */
export class AccessTokens {
  readonly #options: Required<AccessTokensOptions>
  #token: AccessToken | undefined
  #underWay: { done: Promise<AccessToken> } | undefined
  /** It is set if the last request failed. */
  #failure: Failure | undefined
  #refreshes = 0

  constructor(options: AccessTokensOptions) {
    this.#options = {
      timeoutMs: 10_000,
      now: Date.now,
      uptime: () => performance.now(),
      random: Math.random,
      onRefreshToken: () => {},
      ...options,
    }
  }

  /** Access tokens that were given out by the token endpoint. */
  get refreshes(): number {
    return this.#refreshes
  }

  /** @throws AccessTokenError, or the signal's reason */
  async get(signal: AbortSignal): Promise<string> {
    const uptime = this.#options.uptime()
    const token = this.#token
    if (!token || token.endsAt <= uptime) return (await untilAborted(this.#refresh(), signal)).value
    // A failure is in the log, and comes up again here when the token has ended.
    if (token.renewAt <= uptime) this.#refresh().catch(() => {})
    return token.value
  }

  /** After a server has refused a token: another one, unless there is another one by now. @throws as `get` */
  async renew(refused: string, signal: AbortSignal): Promise<string> {
    if (this.#token?.value === refused) this.#token = undefined
    return await this.get(signal)
  }

  #refresh(): Promise<AccessToken> {
    if (this.#underWay) return this.#underWay.done
    const failure = this.#failure
    if (failure && this.#options.uptime() < failure.askAgainAt) return Promise.reject(this.#toError(failure))
    const done = this.#fetch().finally(() => {
      this.#underWay = undefined
    })
    this.#underWay = { done }
    return done
  }

  async #fetch(): Promise<AccessToken> {
    const { now, uptime } = this.#options
    const askedAt = uptime()
    const verdict = await this.#ask(now())
    if (verdict.kind !== 'granted') throw this.#toError(this.#fail(verdict))
    const { accessToken, lifetimeMs, refreshToken } = verdict
    if (refreshToken !== undefined) this.#options.onRefreshToken(refreshToken)
    const endsAt = askedAt + lifetimeMs
    this.#token = { value: accessToken, endsAt, renewAt: endsAt - Math.min(marginMs, lifetimeMs / 2) }
    this.#refreshes += 1
    if (this.#failure) this.#options.logger.info(this.#where, 'The token endpoint gives out access tokens again')
    this.#failure = undefined
    return this.#token
  }

  async #ask(now: number): Promise<TokenVerdict> {
    const { url, createForm, client, timeoutMs } = this.#options
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = Buffer.from(createForm(now).toString())
    try {
      const answer = await withDeadline({ ms: timeoutMs }, (signal) =>
        client.request({ url, method: 'POST', headers, body, signal }),
      )
      return classifyTokenAnswer(answer, this.#options.now())
    } catch (error) {
      return { kind: 'unavailable', reason: describeRequestError(error) }
    }
  }

  #fail(verdict: FailedVerdict): Failure {
    const { uptime, random } = this.#options
    const before = this.#failure
    const count = (before?.count ?? 0) + 1
    const waitMs =
      verdict.kind === 'refused' ? refusedWaitMs : (verdict.waitMs ?? backoffMs(count, { ...unavailableTimes, random }))
    this.#failure = { verdict, count, askAgainAt: uptime() + waitMs }
    this.#log(this.#failure, { isNew: before?.verdict.kind !== verdict.kind })
    return this.#failure
  }

  #log({ verdict }: Failure, { isNew }: { isNew: boolean }): void {
    const { adviseOnRefusal, logger, uptime } = this.#options
    const { kind, reason } = verdict
    const data = { ...this.#where, reason, tokenEndsInMs: Math.max((this.#token?.endsAt ?? 0) - uptime(), 0) }
    if (!isNew) logger.debug(data, 'The token endpoint still gives out no access token')
    else if (kind === 'unavailable') logger.warn(data, 'The token endpoint gives out no access token')
    else logger.error(data, adviseOnRefusal(verdict.error))
  }

  #toError({ verdict, askAgainAt }: Failure): AccessTokenError {
    const delayMs = askAgainAt - this.#options.uptime()
    const { reason } = verdict
    if (verdict.kind === 'unavailable') return new AccessTokenError('ACCESS_TOKEN_UNAVAILABLE', { reason, delayMs })
    return new AccessTokenError('ACCESS_TOKEN_REFUSED', { reason, delayMs, error: verdict.error })
  }

  get #where(): { origin: string } {
    return { origin: this.#options.url.origin }
  }
}

/** @throws the error itself if it is not the network's */
function describeRequestError(error: unknown): string {
  if (!(error instanceof HttpRequestError)) throw error
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
  return code === undefined ? error.message : `${error.message} (${code})`
}
