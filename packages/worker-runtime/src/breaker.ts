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
}

/**
 * - `closed`: it is used
 * - `open`: it cannot be used; nothing is taken, and it is asked again and again
 * - `trial`: it has answered; one delivery at a time is taken until one has been dealt with
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
 * Opens after five deferrals in a row, or at once when it is tripped. Only a delivery that has used the dependency closes
 * it: until then a single deferral opens it again, with a delay that goes on growing. So a dependency that answers, but
 * does not work, costs one delivery for each delay.
 */
export function createBreaker({ dependency, logger, onOpen, onTrial }: BreakerOptions): Breaker {
  const { name, code, probe } = dependency
  const stopping = new AbortController()
  let status: BreakerStatus = { state: 'closed' }
  let failures = 0
  let questions = 0
  let openSince = 0

  function open(error: string): void {
    if (status.state === 'open' || stopping.signal.aborted) return
    status = { state: 'open', error }
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
    const openMs = Math.round(performance.now() - openSince)
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

  function close(): void {
    failures = 0
    if (status.state !== 'trial') return
    status = { state: 'closed' }
    questions = 0
  }

  return {
    dependency: name,
    get status() {
      return status
    },
    onSettled(event) {
      if (event.outcome === 'deferred' && event.code === code) {
        failures += 1
        if (status.state === 'trial' || failures >= failuresToOpen) open(`${failures} deliveries in a row missed it`)
      } else if (event.outcome === 'acked' || event.outcome === 'retried') close()
    },
    trip: open,
    stop: () => stopping.abort(),
  }
}
