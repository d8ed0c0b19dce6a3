import { type BackOff, backOffMs } from './back-off.js'
import type { Conversation } from './conversation.js'
import { describeCause } from './describe-cause.js'
import type { Link, OpenLink } from './link.js'
import { LinkSubscriber } from './link-subscriber.js'
import { RealtimeError } from './realtime-error.js'
import type { RealtimeToken } from './realtime-token.js'
import type { TokenSource } from './token-source.js'

export interface ConnectionKeeperOptions {
  urls: readonly string[]
  tokens: TokenSource
  openLink: OpenLink
  keepaliveSeconds: number
  timeoutMs: number
  signal: AbortSignal
  random: () => number
  conversations(): Iterable<Conversation>
  onMessage(topic: string, payload: Uint8Array): void
  /** A token is in use. Resolves when each open conversation has its topic. */
  onToken(token: RealtimeToken): Promise<void>
  /** A conversation is heard over a connection; what came before is not known. */
  onHeard(conversation: Conversation): void
  report(error: RealtimeError): void
}

const backOff: BackOff = { first: 500, max: 30_000 }

/** After so many failures in a row it may be the token that is wrong. */
const failuresPerToken = 2

/** A connection that has held for this long ends a row of failures, in milliseconds. */
const steadyMs = 10_000

/** How long the last connection is heard beside the next one, in milliseconds. */
const leaveAfterMs = 500

/**
 * Keeps a connection to the broker: opens it, opens another one when it is lost, and one with a new token before its token
 * ends. The last connection is ended a moment after the next one is heard.
 */
export class ConnectionKeeper {
  readonly #options: ConnectionKeeperOptions
  #current: LinkSubscriber | undefined
  #opening: LinkSubscriber | undefined
  #isAttempting = false
  #isTokenWanted = false
  /** The next attempt is not to wait if this one fails. */
  #isHurried = false
  #failures = 0
  #attempts: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #steadyTimer: ReturnType<typeof setTimeout> | undefined
  #endTimer: ReturnType<typeof setTimeout> | undefined
  /** The connection before the current one. */
  #left: Link | undefined
  #leaveTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: ConnectionKeeperOptions) {
    this.#options = options
    // Many browsers that are given the same list spread over it.
    this.#attempts = Math.floor(options.random() * options.urls.length)
    options.signal.addEventListener('abort', () => this.#stop())
    this.#schedule(0)
  }

  /** Subscribes to what was added. A connection that is being opened sees to it anyway. */
  update(): void {
    this.#current?.run().catch(ignoreLoss)
  }

  unsubscribe(topic: string): void {
    for (const subscriber of this.#subscribers) subscriber.unsubscribe(topic)
  }

  /** Something may have changed for the better, or the computer has slept: does at once what is due. */
  hurry(): void {
    const token = this.#current?.token
    if (this.#current !== undefined && token !== undefined && token.endsInMs <= 0) this.#endToken(this.#current.link)
    if (token !== undefined && token.renewInMs > 0) return
    this.#isHurried = true
    if (!this.#isAttempting) this.#schedule(0)
  }

  /** The connection is known to be dead before anybody has noticed. */
  drop(reason: string): void {
    if (this.#current !== undefined) this.#lose(this.#current.link, new Error(reason))
  }

  get #subscribers(): LinkSubscriber[] {
    return [this.#current, this.#opening].filter((subscriber) => subscriber !== undefined)
  }

  #schedule(delayMs: number): void {
    if (this.#options.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#attempt(), delayMs)
  }

  async #attempt(): Promise<void> {
    if (this.#isAttempting) return
    this.#isAttempting = true
    const delayMs = await this.#tryToOpen()
    this.#isAttempting = false
    this.#schedule(delayMs)
  }

  /** @returns how long it is until the next attempt */
  async #tryToOpen(): Promise<number> {
    const { tokens, report, signal, random } = this.#options
    this.#isTokenWanted = false
    this.#isHurried = false
    try {
      const token = await tokens.get({ allowOld: this.#current === undefined })
      await this.#open(token)
      if (this.#isTokenWanted) return 0
      return tokens.isOutOfDate ? backOffMs(this.#failures, backOff, random) : token.renewInMs
    } catch (error) {
      if (signal.aborted) return 0
      this.#failures += 1
      const failure = toRealtimeError(error)
      report(failure)
      if (failure.code === 'TOKEN_REFUSED') tokens.discard()
      // RabbitMQ 3.10 refuses a token by closing the connection without a word.
      if (failure.code === 'CONNECTION_FAILED' && this.#failures % failuresPerToken === 0) tokens.setOutOfDate()
      return this.#isHurried ? 0 : backOffMs(this.#failures, backOff, random)
    } finally {
      this.#opening = undefined
    }
  }

  async #open(token: RealtimeToken): Promise<void> {
    const { openLink, keepaliveSeconds, timeoutMs, onMessage, onToken, signal } = this.#options
    await onToken(token)
    const url = this.#nextUrl()
    const opened: { link?: Link; lost?: Error } = {}
    const onLost = (reason: Error) => {
      opened.lost = reason
      if (opened.link !== undefined) this.#lose(opened.link, reason)
    }
    const link = await openLink({ url, token, keepaliveSeconds, timeoutMs, onMessage, onLost }, signal)
    opened.link = link
    this.#opening = this.#createSubscriber(link, token)
    try {
      await this.#opening.run()
      if (opened.lost !== undefined) throw opened.lost
    } catch (cause) {
      this.#discard(link)
      throw toLostError(url, cause)
    }
    this.#switchTo(this.#opening)
  }

  #nextUrl(): string {
    const { urls } = this.#options
    const url = urls[this.#attempts % urls.length] ?? ''
    this.#attempts += 1
    return url
  }

  #createSubscriber(link: Link, token: RealtimeToken): LinkSubscriber {
    const { conversations, onHeard, report, tokens } = this.#options
    const onTokenWanted = () => {
      this.#isTokenWanted = true
      tokens.setOutOfDate()
      if (!this.#isAttempting) this.#schedule(0)
    }
    return new LinkSubscriber({ link, token, conversations, onHeard, onTokenWanted, report })
  }

  #switchTo(subscriber: LinkSubscriber): void {
    const { link, token } = subscriber
    const last = this.#current
    this.#current = subscriber
    for (const conversation of this.#options.conversations()) conversation.keepOnly(link)
    this.#clearTimers()
    if (last !== undefined) this.#leave(last.link)
    this.#steadyTimer = setTimeout(() => {
      this.#failures = 0
    }, steadyMs)
    this.#endTimer = setTimeout(() => this.#endToken(link), token.endsInMs)
    // Something may have been added at the last moment.
    this.update()
  }

  /** Messages that the broker has sent over the last connection may be on their way. */
  #leave(link: Link): void {
    this.#left?.end()
    this.#left = link
    this.#leaveTimer = setTimeout(() => link.end(), leaveAfterMs)
  }

  /** RabbitMQ 3.10 would go on sending. */
  #endToken(link: Link): void {
    this.#lose(link, new Error('its token has ended, and there was no new one'))
  }

  #discard(link: Link): void {
    link.end()
    for (const conversation of this.#options.conversations()) conversation.deleteLink(link)
  }

  #lose(link: Link, reason: Error): void {
    this.#discard(link)
    if (this.#current?.link !== link) return
    this.#current = undefined
    this.#clearTimers()
    this.#failures += 1
    this.#options.report(toLostError('the broker', reason))
    if (!this.#isAttempting) this.#schedule(backOffMs(this.#failures, backOff, this.#options.random))
  }

  #clearTimers(): void {
    clearTimeout(this.#steadyTimer)
    clearTimeout(this.#endTimer)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#leaveTimer)
    this.#clearTimers()
    this.#left?.end()
    for (const { link } of this.#subscribers) link.end()
  }
}

function toRealtimeError(error: unknown): RealtimeError {
  if (error instanceof RealtimeError) return error
  return new RealtimeError('CONNECTION_FAILED', `no connection: ${describeCause(error)}`, { cause: error })
}

function toLostError(where: string, cause: unknown): RealtimeError {
  const message = `the connection to ${where} was lost: ${describeCause(cause)}`
  return new RealtimeError('CONNECTION_LOST', message, { cause })
}

/** Whoever owns the connection is told of its loss. */
function ignoreLoss(): void {}
