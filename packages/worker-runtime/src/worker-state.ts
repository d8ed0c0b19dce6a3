import type { RuntimeLogger } from './logger.js'

/**
 * The life of a worker process, in order. `/readyz` shows it; each change is one log line.
 *
 * | state | meaning | next |
 * | --- | --- | --- |
 * | `starting` | environment read, health server opening | `waiting`, `draining`, `failed` |
 * | `waiting` | database or broker not reached yet; `/livez` answers 200, `/readyz` 503 | `running`, `draining`, `failed` |
 * | `running` | the consumer was registered; a later outage shows in the checks of `/readyz`, not here | `draining`, `failed` |
 * | `draining` | a stop was asked for: nothing more is taken, what is in flight is finished or given back | `stopped`, `failed` |
 * | `stopped` | everything was released; the process ends with 0 | |
 * | `failed` | it could not go on, or not stop cleanly; the process ends with 1 | |
 */
const nextStates = {
  starting: ['waiting', 'draining', 'failed'],
  waiting: ['running', 'draining', 'failed'],
  running: ['draining', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
} as const satisfies Record<string, readonly string[]>

export type WorkerState = keyof typeof nextStates

export interface WorkerStateHolder {
  readonly current: WorkerState
  /** The only way to change it. @throws Error for a change that the table does not list. */
  change(next: WorkerState): void
}

export function createWorkerState(logger: RuntimeLogger): WorkerStateHolder {
  let current: WorkerState = 'starting'
  return {
    get current() {
      return current
    },
    change(next) {
      const allowed: readonly WorkerState[] = nextStates[current]
      if (!allowed.includes(next)) {
        const expected = allowed.length > 0 ? allowed.join(' or ') : 'nothing, it is final'
        throw new Error(`The worker cannot become ${next}: it is ${current}, after which comes ${expected}`)
      }
      const previous = current
      current = next
      logger.info({ state: next, previousState: previous }, 'Worker state changed')
    },
  }
}
