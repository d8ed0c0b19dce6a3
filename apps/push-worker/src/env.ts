import {
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
import { z } from 'zod'
import { apnsEnv, findApnsFault } from './apns/apns-env.js'
import { fcmEnv } from './fcm/fcm-env.js'
import { findVapidFault, vapidEnv } from './vapid-env.js'
import { type AllowedEndpoint, parseEndpointAllow } from './web-push/parse-endpoint-allow.js'

const shape = {
  ...workerEnv({ httpPort: 9102 }),
  /**
   * Twice the requests under way at one push service, so that it is kept busy while as many messages are with the
   * database; a crash leaves no more than these to be looked at again.
   */
  prefetch: prefetch(100),
  ...vapidEnv,
  ...fcmEnv,
  ...apnsEnv,
  /** Origins that endpoints may have besides those of the known push services. */
  endpointAllow: variable('PUSH_ENDPOINT_ALLOW', z.string().default('').transform(toAllowedEndpoints)),
  /** Requests at a time to one push service. */
  concurrency: variable('PUSH_CONCURRENCY', integer({ min: 1, max: 100, default: 50 })),
  /** For how many days the ledger keeps what is finished. */
  ledgerRetentionDays: variable('LEDGER_RETENTION_DAYS', integer({ min: 1, max: 36_500, default: 30 })),
}

export type PushEnv = EnvOf<typeof shape>

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

export function readPushEnv(source: EnvSource = processEnv): PushEnv {
  return readEnv(shape, source, { checks: [findVapidFault, findApnsFault] })
}

export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}

function toAllowedEndpoints(list: string, context: z.RefinementCtx): AllowedEndpoint[] {
  try {
    return parseEndpointAllow(list)
  } catch (error) {
    const params = { found: (error as Error).message }
    context.addIssue({ code: 'custom', message: 'hosts, and host:port, separated by commas', params })
    return z.NEVER
  }
}
