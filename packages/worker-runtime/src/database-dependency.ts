import { backoffMs, sleep, untilAborted } from '@mono/waiting'
import type { DatabaseProbe } from './database-probe.js'
import type { DatabaseStatus } from './database-status.js'
import type { Dependency } from './dependency.js'
import type { RuntimeLogger } from './logger.js'

export interface DatabaseDependencyOptions {
  check: DatabaseProbe['check']
  logger: RuntimeLogger
  /** How often its breaker probes it while it is well, in milliseconds. Default 5000. */
  everyMs?: number
}

/** Before the start has seen the database. Work is to go on within ten seconds of its return. */
const backoff = { first: 200, max: 3000 }

/** The database as a worker depends on it: keeps the status that `/readyz` shows, with one log line per change of state. */
export class DatabaseDependency implements Dependency {
  readonly name = 'database'
  readonly code = 'DATABASE_UNAVAILABLE'
  readonly everyMs: number
  readonly #check: DatabaseProbe['check']
  readonly #logger: RuntimeLogger
  #status: DatabaseStatus = { state: 'unknown' }

  constructor({ check, logger, everyMs = 5000 }: DatabaseDependencyOptions) {
    this.#check = check
    this.#logger = logger
    this.everyMs = everyMs
  }

  /** The result of the last probe. */
  get status(): DatabaseStatus {
    return this.#status
  }

  async probe(): Promise<void> {
    const previous = this.#status
    this.#status = await this.#check()
    if (kindOf(this.#status) !== kindOf(previous)) logChange(this.#logger, this.#status)
    if ('error' in this.#status) throw new Error(this.#status.error)
  }

  /**
   * Probes again and again until the database is up and migrated. For the start; from then on a breaker probes.
   * @throws the signal's reason when that is aborted first
   */
  async untilUp(signal: AbortSignal): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted()
      try {
        return await untilAborted(this.probe(), signal)
      } catch {
        await sleep(backoffMs(failures, backoff), signal)
      }
    }
  }
}

/** Each cause of its own has its line; why a database cannot be reached may change with each attempt. */
function kindOf(status: DatabaseStatus): string {
  return status.state === 'unusable' ? status.code : status.state
}

function logChange(logger: RuntimeLogger, status: DatabaseStatus): void {
  if (status.state === 'up') logger.info({ database: status }, 'Database is up')
  else if (status.state === 'not migrated') logger.warn({ database: status }, 'Database is not migrated')
  else if (status.state === 'unusable') logger.warn({ database: status }, 'Database cannot be used')
  else logger.warn({ database: status }, 'Database cannot be reached')
}
