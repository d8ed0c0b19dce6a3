import {
  type EnvSource,
  type MigrationEnv,
  migrationEnv,
  readEnv,
  type WorkerEnv,
  workerEnv,
} from '@mono/worker-runtime'

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

export function readChatEnv(source: EnvSource = processEnv): WorkerEnv {
  return readEnv(workerEnv({ httpPort: 9101, prefetch: 100 }), source)
}

export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}
