import type { FailureCode, SettledEvent } from '@mono/message-queue'
import { DeferError } from '@mono/message-queue'
import { describeError } from './describe-error.js'
import type { RuntimeLogger } from './logger.js'
import { sleep } from './sleep.js'

/** What all of a worker's deliveries need, and without which it should not take any. */
export interface Dependency {
  /** In logs, in `/readyz` and as a label: `database`, `smtp`. */
  name: string
  /** Deliveries that were deferred with this code have missed it. */
  code: FailureCode
  /** Asks the dependency itself, not by a delivery. Takes a few seconds at most. @throws Error if it cannot be used */
  probe(): Promise<void>
  /**
   * When it last did what it is there for, by `performance.now()`; 0 if never. To be given if a delivery can be
   * acknowledged without having used it; without this every acknowledged delivery counts as one that has.
   */
  usedAt?(): number
}

/**
 * - `closed`: it is used
 * - `open`: it cannot be used; nothing is taken, and it is asked again and again
 * - `trial`: it has answered; it is not known yet whether it does its work
 */
export type BreakerState = 'closed' | 'open' | 'trial'

export interface BreakerStatus {
  state: BreakerState
  /** Why it is open. */
  error?: string
}

export interface Breaker {
  readonly dependency: string
  readonly status: BreakerStatus
  /** To be told of every delivery. */
  onSettled(event: SettledEvent): void
  /** Somebody else has found that it cannot be used. */
  trip(error: string): void
  /** Ends the asking. */
  stop(): void
}

export interface BreakerOptions {
  dependency: Dependency
  logger: RuntimeLogger
  /** Deliveries in hand. */
  inHand(): number
  /** Nothing is to be taken, for this reason. */
  onOpen(reason: DeferError): void
  /** It can be used again, as far as this breaker knows. */
  onTrial(): void
}

/** Deferrals in a row. */
const failuresToOpen = 5
const firstProbeMs = 100
const maxProbeMs = 3000

/** Before the n-th question in a row: 100 ms, 200, 400, 800, 1600, then 3 s. */
export function probeDelayMs(question: number): number {
  return Math.min(firstProbeMs * 2 ** (question - 1), maxProbeMs)
}

/**
 * Opens after five deferrals with its code and none acknowledged or retried between them, or at once when it is tripped.
 *
 * In trial only an acknowledged delivery that has used the dependency closes it, and a single deferral opens it again,
 * with a delay that goes on growing. Whatever else becomes of a delivery says nothing: it may not have come that far. Nor
 * does what was begun before the trial, or deferred without its handler having seen it.
 */
export function createBreaker({ dependency, logger, inHand, onOpen, onTrial }: BreakerOptions): Breaker {
  const { name, code, probe } = dependency
  const stopping = new AbortController()
  let status: BreakerStatus = { state: 'closed' }
  let failures = 0
  let questions = 0
  let openSince = 0
  let trialSince = Number.NEGATIVE_INFINITY
  /** Deliveries in hand when the last trial began, and perhaps still. */
  let older = 0

  function open(error: string): void {
    if (status.state === 'open' || stopping.signal.aborted) return
    status = { state: 'open', error }
    failures = 0
    openSince = performance.now()
    logger.warn({ dependency: name, reason: error }, 'A dependency cannot be used; nothing is taken until it can')
    onOpen(new DeferError(`${name} cannot be used (${error})`, { code }))
    void askUntilAnswered()
  }

  async function askUntilAnswered(): Promise<void> {
    while (status.state === 'open') {
      questions += 1
      await sleep(probeDelayMs(questions), stopping.signal)
      if (stopping.signal.aborted) return
      status = await ask()
    }
    if (stopping.signal.aborted) return
    trialSince = performance.now()
    older = inHand()
    const openMs = Math.round(trialSince - openSince)
    logger.info({ dependency: name, openMs }, 'A dependency answers again; deliveries are taken')
    onTrial()
  }

  async function ask(): Promise<BreakerStatus> {
    try {
      await probe()
      return { state: 'trial' }
    } catch (error) {
      return { state: 'open', error: describeError(error) }
    }
  }

  /** A deferral is told when its copy is confirmed, so it is known by when its handler had begun, but not when. */
  function isOlder({ handlerMs }: SettledEvent, isMiss: boolean): boolean {
    const wasUnseen = isMiss && handlerMs === 0
    const wasBegunBefore = performance.now() - handlerMs < trialSince
    const isPerhapsOlder = isMiss && older > 0
    if (!wasUnseen && !wasBegunBefore && !isPerhapsOlder) return false
    older = Math.max(0, older - 1)
    return true
  }

  function miss(): void {
    failures += 1
    if (status.state === 'trial') open(`it answered, but then a delivery was deferred with ${code}`)
    else if (failures >= failuresToOpen) open(`${failures} deliveries were deferred with ${code}`)
  }

  function close(): void {
    failures = 0
    const usedAt = dependency.usedAt?.() ?? trialSince
    if (status.state !== 'trial' || usedAt < trialSince) return
    status = { state: 'closed' }
    questions = 0
  }

  return {
    dependency: name,
    get status() {
      return status
    },
    onSettled(event) {
      const isMiss = event.outcome === 'deferred' && event.code === code
      if (status.state === 'open' || isOlder(event, isMiss)) return
      if (isMiss) miss()
      else if (event.outcome === 'acked') close()
      else if (event.outcome === 'retried') failures = 0
    },
    trip: open,
    stop: () => stopping.abort(),
  }
}
