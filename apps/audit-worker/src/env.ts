import {
  type EnvFault,
  type EnvOf,
  type EnvSource,
  integer,
  type MigrationEnv,
  migrationEnv,
  prefetch,
  readEnv,
  variable,
  workerEnv,
} from '@mono/worker-runtime'

const shape = {
  ...workerEnv({ httpPort: 9104 }),
  prefetch: prefetch(1000),
  /** Events of one batch at most. */
  batchSize: variable('AUDIT_BATCH_SIZE', integer({ min: 1, max: 10_000, default: 500 })),
  /** How long the first event of a batch waits for others, in milliseconds. */
  batchWaitMs: variable('AUDIT_BATCH_WAIT_MS', integer({ min: 0, max: 60_000, default: 200 })),
  /** Whole months before this many are dropped. Unset: none. */
  retentionMonths: variable(
    'AUDIT_RETENTION_MONTHS',
    integer({ min: 1, max: 1200, default: Number.POSITIVE_INFINITY }),
  ),
}

export type AuditEnv = EnvOf<typeof shape>

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

export function readAuditEnv(source: EnvSource = processEnv): AuditEnv {
  return readEnv(shape, source, { checks: [(env) => findPrefetchFault(env, source)] })
}

export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}

/** With less than two batches in flight, none can fill while one is being recorded. */
function findPrefetchFault({ prefetch, batchSize }: AuditEnv, source: EnvSource): EnvFault | undefined {
  const least = 2 * batchSize
  if (prefetch >= least) return undefined
  return {
    name: 'PREFETCH',
    expected: `at least ${least}, twice AUDIT_BATCH_SIZE`,
    found: `${prefetch}${source.PREFETCH ? '' : ', the default'}`,
  }
}
