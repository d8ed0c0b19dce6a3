import {
  type EnvOf,
  type EnvSource,
  integer,
  type MigrationEnv,
  migrationEnv,
  readEnv,
  unset,
  variable,
  workerEnv,
} from '@mono/worker-runtime'

const shape = {
  ...workerEnv({ httpPort: 9101 }),
  prefetch: variable(
    'PREFETCH',
    unset('the prefetch is a constant, the same in all replicas, because a smaller one breaks the order'),
  ),
  /** The broker's `consumer_timeout`, in milliseconds. */
  consumerTimeoutMs: variable('CONSUMER_TIMEOUT_MS', integer({ min: 3_000, max: 86_400_000, default: 1_800_000 })),
}

export type ChatEnv = EnvOf<typeof shape>

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

export function readChatEnv(source: EnvSource = processEnv): ChatEnv {
  return readEnv(shape, source)
}

export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}
