import { type BackOff, backOffMs } from './back-off.js'
import { describeCause } from './describe-cause.js'
import type { LoadAfter } from './load-after.js'
import { isFaulty, isUnreadable, type Loaded, parseLoaded } from './parse-loaded.js'
import { RealtimeError } from './realtime-error.js'
import { RetryGroups } from './retry-groups.js'
import type { Subscription } from './subscription.js'
import { withTimeLimit } from './with-time-limit.js'

export interface CatchUpOptions {
  loadAfter: LoadAfter
  timeoutMs: number
  signal: AbortSignal
  random: () => number
  report(error: RealtimeError): void
}

/** Questions that come within this time are asked together, in milliseconds. */
const gatherMs = 20

/** Questions at a time: one that hangs does not hold up the next ones. */
const maxUnderWay = 3

const backOff: BackOff = { first: 500, max: 30_000 }

/** So many answers in a row that do not have what is missing are told, which is after some seconds. */
const answersUntilReport = 5

/**
 * Loads what is missing: one question for all that need it at the time.
 *
 * A question that fails, or whose answer cannot be read at all, is asked again with back-off. An answer that does not fill
 * a gap, or that is faulty in part, is a matter of the conversations concerned: they alone are asked for again.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #due = new Set<Subscription>()
  /** Those of them that need no question if what is missing comes by itself. */
  readonly #patient = new Set<Subscription>()
  /** `true`: what the answer says is out of date, because the subscription was asked for again meanwhile. */
  readonly #underWay = new Map<Subscription, boolean>()
  readonly #failed = new RetryGroups<Subscription>()
  readonly #unfilled = new Map<Subscription, { answers: number; timer?: ReturnType<typeof setTimeout> }>()
  #tenantId = 0
  #questions = 0
  #failures = 0
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#stop())
  }

  set tenantId(tenantId: number) {
    this.#tenantId = tenantId
  }

  /** Asks what comes after the last message, whatever was asked before. */
  ask(subscription: Subscription): void {
    clearTimeout(this.#unfilled.get(subscription)?.timer)
    this.#failed.delete(subscription)
    this.#patient.delete(subscription)
    if (this.#underWay.has(subscription)) this.#underWay.set(subscription, true)
    else this.#setDue(subscription)
  }

  /** Asks what comes after the last message, if that is not being done. */
  look(subscription: Subscription): void {
    if (!this.#isBeingAsked(subscription)) this.#setDue(subscription)
  }

  /** Asks for what is missing before a message that was heard, if that is not being done, and it does not come by itself. */
  fill(subscription: Subscription): void {
    if (this.#isBeingAsked(subscription) || this.#due.has(subscription)) return
    this.#patient.add(subscription)
    this.#setDue(subscription)
  }

  forget(subscription: Subscription): void {
    clearTimeout(this.#unfilled.get(subscription)?.timer)
    this.#unfilled.delete(subscription)
    this.#failed.delete(subscription)
    this.#due.delete(subscription)
    this.#patient.delete(subscription)
  }

  #isBeingAsked(subscription: Subscription): boolean {
    return this.#underWay.has(subscription) || this.#unfilled.has(subscription) || this.#failed.has(subscription)
  }

  #setDue(subscription: Subscription): void {
    this.#due.add(subscription)
    if (this.#questions < maxUnderWay) this.#flushTimer ??= setTimeout(() => this.#flush(), gatherMs)
  }

  #flush(): void {
    this.#flushTimer = undefined
    const group = this.#takeDue()
    if (group.length === 0) return
    void this.#tryToAsk(group)
    if (this.#due.size > 0 && this.#questions < maxUnderWay) this.#flush()
  }

  /** A conversation stands in a question once, so of two subscriptions to one only those with the same last message. */
  #takeDue(): Subscription[] {
    const after = new Map<string, number>()
    const group: Subscription[] = []
    for (const subscription of this.#due) {
      const { conversationId, last } = subscription
      if (this.#patient.delete(subscription) && subscription.isLoaded) {
        this.#due.delete(subscription)
        subscription.endLoad()
        continue
      }
      if ((after.get(conversationId) ?? last) !== last) continue
      this.#due.delete(subscription)
      after.set(conversationId, last)
      group.push(subscription)
    }
    return group
  }

  async #tryToAsk(group: readonly Subscription[]): Promise<void> {
    if (await this.#askTogether(group)) return
    this.#failed.add(group)
    this.#scheduleRetry()
  }

  #scheduleRetry(): void {
    if (this.#failed.isEmpty || this.#options.signal.aborted) return
    const delay = backOffMs(this.#failures, backOff, this.#options.random)
    this.#retryTimer ??= setTimeout(() => void this.#retry(), delay)
  }

  async #retry(): Promise<void> {
    await this.#failed.retry((group) => this.#askTogether(group))
    this.#retryTimer = undefined
    this.#scheduleRetry()
  }

  /** @returns whether there was an answer that can be read */
  async #askTogether(group: readonly Subscription[]): Promise<boolean> {
    const heard = group.filter((one) => one.isHeard && one.isOpen && !this.#underWay.has(one))
    if (heard.length === 0) return true
    for (const subscription of heard) {
      this.#underWay.set(subscription, false)
      subscription.beginLoad()
    }
    this.#questions += 1
    const loaded = await this.#load(heard)
    this.#questions -= 1
    this.#failures = loaded === undefined ? this.#failures + 1 : 0
    for (const subscription of heard) this.#settle(subscription, loaded)
    if (this.#due.size > 0) this.#flushTimer ??= setTimeout(() => this.#flush(), 0)
    return loaded !== undefined
  }

  async #load(group: readonly Subscription[]): Promise<Loaded | undefined> {
    const { loadAfter, timeoutMs: ms, signal, report } = this.#options
    const after = new Map(group.map(({ conversationId, last }) => [conversationId, last]))
    const open = Array.from(after, ([conversationId, last]) => ({ conversationId, after: last }))
    try {
      const answer = await withTimeLimit({ ms, signal }, (limit) => loadAfter(open, { signal: limit }))
      const loaded = parseLoaded(answer, new Set(after.keys()), this.#tenantId)
      for (const { conversationId, reason } of loaded.faults.slice(0, 3)) {
        const message = `the answer of loadAfter cannot be used: ${reason}`
        report(new RealtimeError('INVALID_LOADED', message, conversationId === undefined ? {} : { conversationId }))
      }
      return isUnreadable(loaded) ? undefined : loaded
    } catch (cause) {
      if (!signal.aborted) {
        report(new RealtimeError('LOAD_FAILED', `loadAfter failed: ${describeCause(cause)}`, { cause }))
      }
      return undefined
    }
  }

  #settle(subscription: Subscription, loaded: Loaded | undefined): void {
    const isOutOfDate = this.#underWay.get(subscription) ?? true
    this.#underWay.delete(subscription)
    if (!subscription.isOpen || this.#options.signal.aborted) return
    if (loaded === undefined) {
      subscription.setIncomplete()
      return
    }
    const { conversationId } = subscription
    subscription.add(loaded.messages.get(conversationId) ?? [])
    if (!subscription.isOpen) return
    if (isOutOfDate) this.#setDue(subscription)
    else if (isFaulty(loaded, conversationId)) this.#askLater(subscription)
    else this.#goOn(subscription)
  }

  #goOn(subscription: Subscription): void {
    subscription.endLoad()
    if (!subscription.isLoaded && !subscription.hasAdvanced) {
      this.#askLater(subscription)
      return
    }
    this.#unfilled.delete(subscription)
    if (subscription.isLoaded) return
    // The answer was cut, or there is another gap, or it is ahead of the broadcasts, which may settle it by themselves.
    this.#patient.add(subscription)
    this.#setDue(subscription)
  }

  #askLater(subscription: Subscription): void {
    subscription.setIncomplete()
    const answers = (this.#unfilled.get(subscription)?.answers ?? 0) + 1
    const delay = backOffMs(answers, backOff, this.#options.random)
    this.#unfilled.set(subscription, { answers, timer: setTimeout(() => this.#setDue(subscription), delay) })
    if (answers !== answersUntilReport || !subscription.hasGap) return
    const { conversationId, last } = subscription
    const message = `loadAfter has not given message ${last + 1}, and there are later ones; it is asked for again, and to go on without it, subscribe anew with after: ${last + 1}`
    this.#options.report(new RealtimeError('GAP_NOT_FILLED', message, { conversationId }))
  }

  #stop(): void {
    clearTimeout(this.#flushTimer)
    clearTimeout(this.#retryTimer)
    for (const { timer } of this.#unfilled.values()) clearTimeout(timer)
  }
}
