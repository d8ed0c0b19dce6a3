import { startTimer } from './start-timer.js'

/**
 * A counting lock: that many holders at a time. Those who wait are served in order; of several groups, each has one turn
 * after the other, however many of it wait.
 */
export interface Slots {
  readonly held: number
  readonly waiting: number
  /**
   * Resolves when a slot is the caller's, or as many as the caller takes.
   *
   * @throws the signal's reason, the deadline's error, or what `refuseWaiting` was called with
   */
  acquire(signal: AbortSignal, options?: AcquireOptions): Promise<void>
  /** Gives back as many as were taken. Default 1. */
  release(count?: number): void
  /** More slots are handed out at once; fewer as those held are released. */
  resize(limit: number): void
  /** Rejects everybody who waits now. */
  refuseWaiting(reason: unknown): void
}

export interface AcquireOptions {
  /** By default one that all share who name none. */
  group?: Group
  /**
   * Slots that are taken together. They may be more than are free, as long as one is: otherwise those who take few would be
   * served first, and who takes more than there are would wait for ever. Default 1.
   */
  count?: number
  /** How long to wait, in milliseconds; what `createError` makes refuses whoever waits longer. By default there is none. */
  deadline?: { ms: number; createError(): unknown }
}

type Group = string | number

interface Waiter {
  count: number
  admit(): void
  refuse(reason: unknown): void
}

export function createSlots(limit: number): Slots {
  /** Those who wait, by group; the group whose turn is next comes first. */
  const groups = new Map<Group, Set<Waiter>>()
  let held = 0

  function admitWaiting(): void {
    while (held < limit) {
      const [next] = groups
      if (next === undefined) return
      const [group, waiters] = next
      const [waiter] = waiters
      groups.delete(group)
      if (waiter === undefined) continue
      groups.set(group, waiters)
      held += waiter.count
      waiter.admit()
    }
  }

  function join(group: Group, waiter: Waiter): void {
    const waiters = groups.get(group) ?? new Set()
    groups.set(group, waiters.add(waiter))
  }

  function leave(group: Group, waiter: Waiter): void {
    const waiters = groups.get(group)
    waiters?.delete(waiter)
    if (waiters?.size === 0) groups.delete(group)
  }

  return {
    get held() {
      return held
    },
    get waiting() {
      return [...groups.values()].reduce((sum, { size }) => sum + size, 0)
    },
    async acquire(signal, { group = '', count = 1, deadline } = {}) {
      signal.throwIfAborted()
      if (held < limit) {
        held += count
        return
      }
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => waiter.refuse(signal.reason)
        const end = () => {
          leave(group, waiter)
          stopTimer()
          signal.removeEventListener('abort', onAbort)
        }
        const waiter: Waiter = {
          count,
          admit() {
            end()
            resolve()
          },
          refuse(reason) {
            end()
            reject(reason)
          },
        }
        join(group, waiter)
        const refuseLate = () => waiter.refuse(deadline?.createError())
        const stopTimer = startTimer(deadline?.ms ?? Number.POSITIVE_INFINITY, refuseLate)
        signal.addEventListener('abort', onAbort, { once: true })
      })
    },
    release(count = 1) {
      held -= count
      admitWaiting()
    },
    resize(newLimit) {
      limit = newLimit
      admitWaiting()
    },
    refuseWaiting(reason) {
      for (const waiters of [...groups.values()]) for (const waiter of waiters) waiter.refuse(reason)
    },
  }
}
