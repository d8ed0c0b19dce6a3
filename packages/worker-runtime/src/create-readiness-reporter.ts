import type { RuntimeLogger } from './logger.js'
import { type ReadinessReport, type ReadinessSources, toReadinessReport } from './readiness.js'

export interface ReadinessReporterOptions {
  /** Everything that readiness depends on, as it is now. */
  sources(): ReadinessSources
  logger: RuntimeLogger
}

/**
 * Makes the function that reports readiness. Reports are what logs it too: one that differs from the one before, ready or
 * not ready, is a log line with the checks that explain it. So it is to be called at every event that may change
 * readiness, and when somebody asks. The client tells of no event when its publishing connection is lost or blocked: that
 * is logged when somebody asks.
 */
export function createReadinessReporter({ sources, logger }: ReadinessReporterOptions): () => ReadinessReport {
  let lastStatus: ReadinessReport['status'] = 'not ready'
  return () => {
    const report = toReadinessReport(sources())
    if (report.status !== lastStatus) logChange(logger, report)
    lastStatus = report.status
    return report
  }
}

function logChange(logger: RuntimeLogger, { status, state, checks }: ReadinessReport): void {
  if (status === 'ready') logger.info({ state, checks }, 'Worker is ready')
  else if (state === 'running') logger.warn({ state, checks }, 'Worker is not ready')
  else logger.info({ state, checks }, 'Worker is not ready')
}
