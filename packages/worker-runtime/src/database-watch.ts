import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseProbe } from './database-probe.js'
import type { DatabaseStatus } from './database-status.js'
import type { RuntimeLogger } from './logger.js'

export interface DatabaseWatch {
  /** What the last look found. */
  readonly status: DatabaseStatus
  /** Resolves once the database is up, at once if it is. @throws the signal's reason when that is aborted first. */
  untilUp(signal: AbortSignal): Promise<void>
  /** Ends the looking and closes the probe. */
  stop(): Promise<void>
}

export interface DatabaseWatchOptions {
  probe: DatabaseProbe
  logger: RuntimeLogger
  /** Called when it is no longer what it was. */
  onChange?(status: DatabaseStatus): void
  /** Between two looks while the database is up. Default 5000. */
  intervalMs?: number
}

const firstRetryMs = 200
const maxRetryMs = 3000

/** 200 ms after the first failed look, doubling: 400, 800, 1600, then 3000. */
export function retryDelayMs(failedLooks: number): number {
  return Math.min(firstRetryMs * 2 ** (failedLooks - 1), maxRetryMs)
}

/** Looks at the database again and again, from now until `stop`; one log line per change of state, not per look. */
export function startDatabaseWatch({
  probe,
  logger,
  onChange,
  intervalMs = 5000,
}: DatabaseWatchOptions): DatabaseWatch {
  const stopping = new AbortController()
  const waiters = new Set<() => void>()
  let status: DatabaseStatus = { state: 'unknown' }
  let failedLooks = 0

  function record(found: DatabaseStatus): void {
    const changed = found.state !== status.state
    status = found
    failedLooks = found.state === 'up' ? 0 : failedLooks + 1
    if (changed) logChange(logger, found)
    if (changed) onChange?.(found)
    if (found.state === 'up') for (const resolve of waiters) resolve()
  }

  async function keepLooking(): Promise<void> {
    while (!stopping.signal.aborted) {
      record(await probe.look())
      const up = status.state === 'up'
      // Somebody waits for a database that is away, so that timer keeps the process alive; the other one must not.
      const timer = sleep(up ? intervalMs : retryDelayMs(failedLooks), undefined, { signal: stopping.signal, ref: !up })
      await timer.catch(() => {})
    }
  }

  void keepLooking()

  return {
    get status() {
      return status
    },
    untilUp(signal) {
      return new Promise<void>((resolve, reject) => {
        if (status.state === 'up') return resolve()
        if (signal.aborted) return reject(signal.reason)
        const onAbort = () => {
          waiters.delete(onUp)
          reject(signal.reason)
        }
        const onUp = () => {
          waiters.delete(onUp)
          signal.removeEventListener('abort', onAbort)
          resolve()
        }
        signal.addEventListener('abort', onAbort, { once: true })
        waiters.add(onUp)
      })
    },
    async stop() {
      stopping.abort()
      await probe.close()
    },
  }
}

function logChange(logger: RuntimeLogger, status: DatabaseStatus): void {
  if (status.state === 'up') logger.info({ database: status }, 'Database is up')
  else if (status.state === 'not migrated') logger.warn({ database: status }, 'Database is not migrated')
  else logger.warn({ database: status }, 'Database cannot be reached')
}
