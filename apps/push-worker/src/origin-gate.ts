import type { Logger } from '@mono/message-queue'
import { backoffMs, createSlots, type Slots } from '@mono/waiting'

/**
 * What a request tells about its push service.
 * - `alive`: it has answered, whatever it said about the device
 * - `failing`: this request failed; several in a row close the gate
 * - `closed`: nothing more is to be sent for `waitMs`, or for a time that grows with each closing in a row
 * - `none`: nothing
 */
export type OriginReport =
  | { kind: 'alive' }
  | { kind: 'none' }
  | { kind: 'failing'; code: string }
  | { kind: 'closed'; code: string; waitMs?: number }

/** A request that was let through; `leave` is to be called once, whatever became of it. */
export interface Passage {
  /** Milliseconds until the gate opens again, if it is closed now, be it by this report or by that of another request. */
  leave(report: OriginReport): number | undefined
}

/**
 * Keeps a push service that is slow, down or busy from holding up the others: each has so many requests at a time, and
 * while one has to be left alone, its devices are turned away at once. After that time a single request is let through
 * as a trial; the others wait for its outcome.
 */
export interface OriginGate {
  /** Origins that had to be left alone and have not answered since. */
  readonly closed: number
  /** Waits for the request's turn; a number is the milliseconds to wait instead. @throws the signal's reason */
  enter(origin: string, signal: AbortSignal): Promise<Passage | number>
}

export interface OriginGateOptions {
  /** Requests at a time to one origin. */
  concurrency: number
  logger: Logger
  /** Milliseconds since 1970. */
  now?: () => number
  /** From 0 to 1. Default `Math.random`. */
  random?: () => number
}

const failuresToClose = 5

/**
 * How long the gate stays closed when the push service has not said it. One trial in that time is no burden to anybody,
 * and work has to go on within 10 s of the push service's return.
 */
const closingTimes = { first: 5_000, max: 8_000 }

interface OriginState {
  slots: Slots
  openAt: number
  /** In a row. */
  failures: number
  /** In a row: until an answer comes. */
  closings: number
  /** Changes whenever the gate is closed or opened. */
  epoch: number
}

/** Origins come from endpoints, and one of the known push services has any number of host names. */
const originsToKeep = 1000

export function createOriginGate(options: OriginGateOptions): OriginGate {
  const { concurrency, logger, now = Date.now, random = Math.random } = options
  const states = new Map<string, OriginState>()

  function stateOf(origin: string): OriginState {
    const known = states.get(origin)
    if (known) return known
    if (states.size >= originsToKeep) forgetUnused()
    const state = { slots: createSlots(concurrency), openAt: 0, failures: 0, closings: 0, epoch: 0 }
    states.set(origin, state)
    return state
  }

  function forgetUnused(): void {
    for (const [origin, { slots, openAt }] of states) {
      if (slots.held === 0 && slots.waiting === 0 && openAt <= now()) states.delete(origin)
    }
  }

  function remainingMs({ openAt }: OriginState): number | undefined {
    const remaining = openAt - now()
    return remaining > 0 ? remaining : undefined
  }

  function close(origin: string, state: OriginState, code: string, waitMs?: number): void {
    state.closings += 1
    state.epoch += 1
    state.openAt = Math.max(state.openAt, now() + (waitMs ?? backoffMs(state.closings, { ...closingTimes, random })))
    state.slots.resize(1)
    state.slots.refuseWaiting(closedReason)
    const data = { origin, code, waitMs: remainingMs(state) }
    if (state.closings === 1) logger.warn(data, 'A push service has to be left alone; its devices wait')
    else logger.debug(data, 'A push service still has to be left alone')
  }

  function open(origin: string, state: OriginState): void {
    state.failures = 0
    if (state.closings === 0) return
    state.closings = 0
    state.epoch += 1
    state.slots.resize(concurrency)
    logger.info({ origin }, 'A push service answers again')
  }

  function take(origin: string, state: OriginState, epochAtEntry: number, report: OriginReport): void {
    // Requests that were under way when the gate was closed say nothing new, but how long to wait.
    const isStale = state.epoch !== epochAtEntry
    if (report.kind === 'closed' && isStale && report.waitMs !== undefined) {
      state.openAt = Math.max(state.openAt, now() + report.waitMs)
    }
    if (isStale || report.kind === 'none') return
    if (report.kind === 'alive') {
      open(origin, state)
      return
    }
    state.failures += 1
    if (report.kind === 'closed') close(origin, state, report.code, report.waitMs)
    else if (state.failures >= failuresToClose || state.closings > 0) close(origin, state, report.code)
  }

  return {
    get closed() {
      return [...states.values()].filter(({ closings }) => closings > 0).length
    },
    async enter(origin, signal) {
      const state = stateOf(origin)
      const closedMs = remainingMs(state)
      if (closedMs !== undefined) return closedMs
      try {
        await state.slots.acquire(signal)
      } catch (error) {
        if (error === closedReason) return remainingMs(state) ?? 0
        throw error
      }
      const closedMeanwhileMs = remainingMs(state)
      if (closedMeanwhileMs !== undefined) {
        state.slots.release()
        return closedMeanwhileMs
      }
      const { epoch } = state
      return {
        leave(report) {
          take(origin, state, epoch, report)
          state.slots.release()
          return remainingMs(state)
        },
      }
    },
  }
}

const closedReason = new Error('The gate is closed')
