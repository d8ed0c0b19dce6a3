/** A counting lock: that many holders at a time; those who wait are served in order. */
export interface Slots {
  readonly held: number
  readonly waiting: number
  /** Resolves when a slot is the caller's. @throws the signal's reason, or what `refuseWaiting` was called with */
  acquire(signal: AbortSignal): Promise<void>
  release(): void
  /** More slots are handed out at once; fewer as those held are released. */
  resize(limit: number): void
  /** Rejects everybody who waits now. */
  refuseWaiting(reason: unknown): void
}

interface Waiter {
  admit(): void
  refuse(reason: unknown): void
}

export function createSlots(limit: number): Slots {
  const waiters = new Set<Waiter>()
  let held = 0

  function admitWaiting(): void {
    for (const waiter of waiters) {
      if (held >= limit) return
      held += 1
      waiter.admit()
    }
  }

  return {
    get held() {
      return held
    },
    get waiting() {
      return waiters.size
    },
    async acquire(signal) {
      signal.throwIfAborted()
      if (held < limit) {
        held += 1
        return
      }
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => waiter.refuse(signal.reason)
        const leave = () => {
          waiters.delete(waiter)
          signal.removeEventListener('abort', onAbort)
        }
        const waiter: Waiter = {
          admit() {
            leave()
            resolve()
          },
          refuse(reason) {
            leave()
            reject(reason)
          },
        }
        waiters.add(waiter)
        signal.addEventListener('abort', onAbort, { once: true })
      })
    },
    release() {
      held -= 1
      admitWaiting()
    },
    resize(newLimit) {
      limit = newLimit
      admitWaiting()
    },
    refuseWaiting(reason) {
      for (const waiter of waiters) waiter.refuse(reason)
    },
  }
}
