import { setMaxListeners } from 'node:events'
import type { Logger } from '@mono/message-queue'
import { backoffMs, toError } from '@mono/waiting'
import { toReason } from '@mono/worker-runtime'
import type { PacedProvider } from '../email-provider.js'
import type { MailOutcome } from './mail-outcome.js'

/**
 * - `well`: mails go by it
 * - `away`: none does; it is probed
 * - `trial`: it has answered, and one mail shows whether it takes any
 */
export type HealthState = 'well' | 'away' | 'trial'

/** One mail's time at a provider. */
export interface Visit {
  readonly startedAt: number
  /** Aborted when the provider goes away. */
  readonly leaving: AbortSignal
  /** The period in which it began: what comes of it later says nothing of the provider as it is then. */
  readonly period: number
  /** It is the one mail that is tried. */
  readonly isTrial: boolean
}

export interface ProviderHealthOptions {
  name: string
  provider: Pick<PacedProvider, 'probe' | 'tookAt' | 'gotAt' | 'pausedForMs'>
  logger: Logger
}

/** So many recipients in a row who are refused for now are no longer those recipients' fault. */
const refusalsToLeave = 5

/** A mail that was not handed over though its turn had come so long before is the provider's fault. */
const turnToLeaveMs = 8_000

/** A mail that has only waited in line shows nothing, unless the provider has got no mail at all for so long. */
const idleToLeaveMs = 120_000

/** Before a probe, by how often the provider was away since it was well last. */
const backoff = { first: 1_000, max: 30_000 }

/**
 * Keeps whether mails can go by a provider. It is well from the beginning.
 *
 * | state | it goes on to | when |
 * | --- | --- | --- |
 * | `well` | `away` | a mail found it away or was of unknown outcome, and it has taken none since that mail began or since another one found the same; a mail has had its turn for eight seconds in vain, and it has got none since; mails wait in line, and it has got none for two minutes; it has refused five recipients in a row for now and taken none between |
 * | `away` | `trial` | a probe is answered; the first after a second, then less and less often, every 30 s at least |
 * | `trial` | `well` | it has taken a mail |
 * | `trial` | `away` | it has not: anything but a mail or a recipient that it refuses for good |
 */
export class ProviderHealth {
  readonly #options: ProviderHealthOptions
  readonly #refused = new Set<string>()
  #state: HealthState = 'well'
  #leaving = createLeaving()
  #period = 0
  #isTried = false
  /** When a mail last found it away, or was of unknown outcome. */
  #failedAt = Number.NEGATIVE_INFINITY
  /** Since it was well last: probes that failed and mails that it did not take. */
  #failures = 0
  #awaySince = 0
  #reason = ''
  #timer: NodeJS.Timeout | undefined
  #probing: Promise<void> | undefined
  #isStopped = false

  constructor(options: ProviderHealthOptions) {
    this.#options = options
  }

  get state(): HealthState {
    return this.#state
  }

  /** A mail may go by it now. */
  get admits(): boolean {
    return this.#state === 'well' || (this.#state === 'trial' && !this.#isTried)
  }

  /** Why it is not well, in its own words. */
  get reason(): string {
    return this.#reason
  }

  /** Milliseconds since it went away; 0 if it is well, or has answered and waits for a mail. */
  get awayForMs(): number {
    return this.#state === 'away' || this.#isTried ? performance.now() - this.#awaySince : 0
  }

  /** A mail is about to be sent by it. */
  begin(): Visit {
    const isTrial = this.#state === 'trial' && !this.#isTried
    if (isTrial) this.#isTried = true
    return { startedAt: performance.now(), leaving: this.#leaving.signal, period: this.#period, isTrial }
  }

  /** The mail has left, and nothing is to be learned from it. */
  forget({ isTrial, period }: Visit): void {
    if (isTrial && period === this.#period) this.#isTried = false
  }

  /** The mail has left. @param recipient to whom it goes */
  learn(visit: Visit, outcome: MailOutcome, recipient: string): void {
    this.forget(visit)
    if (visit.period !== this.#period || this.#isStopped) return
    if (outcome.kind === 'sent') this.#recover()
    else if (outcome.kind === 'transient') this.#noteRefusal(recipient, outcome.error.message)
    else if (outcome.kind !== 'permanent') this.#noteFailure(visit, outcome)
  }

  /** Probes it at once if it is away. Never rejects. */
  async probeNow(): Promise<void> {
    if (this.#state !== 'away' || this.#isStopped) return
    clearTimeout(this.#timer)
    this.#probing ??= this.#probe()
    await this.#probing
  }

  /** Ends the probing. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #noteRefusal(recipient: string, reason: string): void {
    this.#refused.add(recipient)
    if (this.#state === 'trial' || this.#refused.size >= refusalsToLeave) this.#leave(reason)
  }

  #noteFailure({ startedAt }: Visit, outcome: Exclude<MailOutcome, { kind: 'sent' }>): void {
    const { tookAt, gotAt, pausedForMs } = this.#options.provider
    if (outcome.kind !== 'moved') {
      // Many mails begin, and wait in line, before the last one that was taken.
      const hasTakenSince = tookAt >= Math.max(startedAt, this.#failedAt)
      this.#failedAt = performance.now()
      if (this.#state === 'trial' || !hasTakenSince) this.#leave(outcome.error.message)
      return
    }
    // A provider that wants mails more slowly is well, and so is one that has got all it may and is slow to answer.
    const now = performance.now()
    const { turnAt = now } = outcome
    const idleSince = now - turnAt >= turnToLeaveMs ? turnAt : now - idleToLeaveMs
    if (Math.max(tookAt, gotAt) >= idleSince || pausedForMs > 0) return
    const seconds = Math.round((now - idleSince) / 1000)
    this.#leave(`It has got no mail in ${seconds} s`)
  }

  #leave(words: string): void {
    const { name, logger } = this.#options
    const reason = toReason(words)
    if (this.#state === 'well') {
      this.#awaySince = performance.now()
      logger.warn({ provider: name, reason }, 'A provider cannot be used; mails go by another one')
    } else logger.debug({ provider: name, reason }, 'A provider has answered, but does not take mails')
    this.#state = 'away'
    this.#reason = reason
    this.#period += 1
    this.#isTried = false
    this.#refused.clear()
    this.#failures += 1
    this.#planProbe()
    const left = this.#leaving
    this.#leaving = createLeaving()
    left.abort('The provider is away')
  }

  #recover(): void {
    this.#refused.clear()
    if (this.#state === 'well') return
    const awayMs = Math.round(performance.now() - this.#awaySince)
    this.#options.logger.info({ provider: this.#options.name, awayMs }, 'A provider takes mails again')
    this.#state = 'well'
    this.#failures = 0
    this.#reason = ''
    this.#isTried = false
  }

  #planProbe(): void {
    clearTimeout(this.#timer)
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.probeNow(), backoffMs(this.#failures, backoff)).unref()
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.provider.probe()
      // The provider cannot have gone away meanwhile: nobody was sent by it.
      this.#state = 'trial'
      this.#options.logger.debug({ provider: this.#options.name }, 'A provider answers again; one mail tries it')
    } catch (error) {
      this.#reason = toReason(toError(error).message)
      this.#failures += 1
      this.#planProbe()
    } finally {
      this.#probing = undefined
    }
  }
}

/** Every mail that is at the provider listens; Node warns of a leak above ten. */
function createLeaving(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
