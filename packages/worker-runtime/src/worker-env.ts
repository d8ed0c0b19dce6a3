import { z } from 'zod'
import { brokerUrls, type EnvOf, integer, oneOf, secret, url, variable } from './env-variable.js'

/** From the loudest to the quietest; `silent` writes nothing. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type LogLevel = (typeof logLevels)[number]

/** What all four workers read. Spread it into the worker's own shape and give the result to `readEnv`. */
export function workerEnv(defaults: { httpPort: number }) {
  return {
    ...migrationEnv(),
    rabbitmqUrls: secret('RABBITMQ_URL', brokerUrls()),
    /** `check` for a broker user who may not configure the shared exchanges. */
    topology: variable('TOPOLOGY', oneOf(['declare', 'check'], { default: 'declare' })),
    /** `/livez`, `/readyz`, `/metrics`, on all interfaces. 0 takes any free port and logs which. */
    httpPort: variable('HTTP_PORT', integer({ min: 0, max: 65_535, default: defaults.httpPort })),
    /** How long deliveries in flight may take to finish after SIGTERM before they are given back to the broker. */
    shutdownGraceMs: variable('SHUTDOWN_GRACE_MS', integer({ min: 0, max: 2_147_483_647, default: 25_000 })),
  }
}

/** Deliveries that the broker hands out before the first is settled. Of a worker whose queue does not keep its order. */
export function prefetch(fallback: number) {
  return variable('PREFETCH', integer({ min: 1, max: 65_535, default: fallback }))
}

const databaseUrl = () => url({ schemes: ['postgres', 'postgresql'], hostNeeded: false })

/** The part of it that migrations need. */
export function migrationEnv() {
  return {
    databaseUrl: secret('DATABASE_URL', databaseUrl()),
    /** Where migrations are applied: past a pooler, or as another role. Absent: at `DATABASE_URL`. */
    databaseMigrationUrl: secret('DATABASE_MIGRATION_URL', databaseUrl().optional()),
    logLevel: variable('LOG_LEVEL', oneOf(logLevels, { default: 'info' })),
    /** `production` makes `readEnv` refuse the development password. */
    nodeEnv: variable('NODE_ENV', z.string().default('development')),
  }
}

export type WorkerEnv = EnvOf<ReturnType<typeof workerEnv>>

export type MigrationEnv = EnvOf<ReturnType<typeof migrationEnv>>
