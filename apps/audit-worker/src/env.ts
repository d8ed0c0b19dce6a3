import {
  EnvError,
  type EnvFault,
  type EnvOf,
  type EnvSource,
  integer,
  migrationEnv,
  readEnv,
  variable,
  workerEnv,
} from '@mono/worker-runtime'

const shape = {
  ...workerEnv({ httpPort: 9104, prefetch: 1000 }),
  /** Events of one batch at most. */
  batchSize: variable('AUDIT_BATCH_SIZE', integer({ min: 1, max: 10_000, default: 500 })),
  /** How long the first event of a batch waits for others, in milliseconds. */
  batchWaitMs: variable('AUDIT_BATCH_WAIT_MS', integer({ min: 0, max: 60_000, default: 200 })),
}

export type AuditEnv = EnvOf<typeof shape>

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

/** @throws EnvError that lists every fault */
export function readAuditEnv(source: EnvSource = processEnv): AuditEnv {
  const prefetchFault = findPrefetchFault(source)
  const faults: EnvFault[] = prefetchFault ? [prefetchFault] : []
  try {
    const env = readEnv(shape, source)
    if (faults.length === 0) return env
  } catch (error) {
    if (!(error instanceof EnvError)) throw error
    faults.unshift(...error.faults)
  }
  throw new EnvError(faults)
}

/** @throws EnvError that lists every fault */
export function readMigrationEnv(source: EnvSource = processEnv) {
  return readEnv(migrationEnv(), source)
}

/** With less than two batches in hand, none can fill while one is being recorded. */
function findPrefetchFault(source: EnvSource): EnvFault | undefined {
  const { prefetch, batchSize } = shape
  try {
    const found = readEnv({ prefetch, batchSize }, source)
    const least = 2 * found.batchSize
    if (found.prefetch >= least) return undefined
    return {
      name: 'PREFETCH',
      expected: `at least ${least}, twice AUDIT_BATCH_SIZE`,
      found: `${found.prefetch}${source.PREFETCH ? '' : ', the default'}`,
    }
  } catch {
    // One of the two is a fault by itself, and reported as such.
    return undefined
  }
}
