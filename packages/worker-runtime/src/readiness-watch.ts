import type { RuntimeLogger } from './logger.js'
import { type ReadinessReport, type ReadinessSources, toReadinessReport } from './readiness.js'
import type { WorkerStateHolder } from './worker-state.js'

export interface ReadinessWatch {
  /** Looks now. */
  report(): ReadinessReport
  stop(): void
}

export interface ReadinessWatchOptions {
  worker: string
  state: WorkerStateHolder
  /** What there is by now. */
  sources(): Omit<ReadinessSources, 'worker' | 'state'>
  logger: RuntimeLogger
  /** Between two looks when nobody asks. Default 500. */
  intervalMs?: number
}

/**
 * Keeps an eye on readiness: makes the worker `running` when its consumer consumes for the first time, and logs each
 * change between ready and not ready with the checks that explain it.
 */
export function watchReadiness(options: ReadinessWatchOptions): ReadinessWatch {
  const { worker, state, sources, logger, intervalMs = 500 } = options
  let lastStatus: ReadinessReport['status'] = 'not ready'

  function report(): ReadinessReport {
    const found = sources()
    if (state.current === 'waiting' && found.consumer?.state === 'consuming') state.change('running')
    const current = toReadinessReport({ worker, state: state.current, ...found })
    if (current.status !== lastStatus) {
      lastStatus = current.status
      logChange(logger, current)
    }
    return current
  }

  const timer = setInterval(report, intervalMs)
  timer.unref()
  return { report, stop: () => clearInterval(timer) }
}

function logChange(logger: RuntimeLogger, { status, state, checks }: ReadinessReport): void {
  if (status === 'ready') logger.info({ state, checks }, 'Worker is ready')
  else if (state === 'running') logger.warn({ state, checks }, 'Worker is not ready')
  else logger.info({ state, checks }, 'Worker is not ready')
}
