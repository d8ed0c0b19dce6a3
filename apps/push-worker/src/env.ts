import {
  EnvError,
  type EnvFault,
  type EnvOf,
  type EnvShape,
  type EnvSource,
  integer,
  type MigrationEnv,
  migrationEnv,
  readEnv,
  variable,
  workerEnv,
} from '@mono/worker-runtime'
import { z } from 'zod'
import { findApnsFault, mobileEnv } from './mobile-env.js'
import { findVapidFault, vapidEnv } from './vapid-env.js'
import { type AllowedEndpoint, parseEndpointAllow } from './web-push/parse-endpoint-allow.js'

const shape = {
  /**
   * Prefetch: twice the requests under way at one push service, so that it is kept busy while as many messages are with
   * the database; a crash leaves no more than these to be looked at again.
   */
  ...workerEnv({ httpPort: 9102, prefetch: 100 }),
  ...vapidEnv,
  ...mobileEnv,
  /** Origins that endpoints may have besides those of the known push services. */
  endpointAllow: variable('PUSH_ENDPOINT_ALLOW', z.string().default('').transform(toAllowedEndpoints)),
  /** Requests at a time to one push service. */
  concurrency: variable('PUSH_CONCURRENCY', integer({ min: 1, max: 100, default: 50 })),
}

export type PushEnv = EnvOf<typeof shape>

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

/** @throws EnvError that lists every fault */
export function readPushEnv(source: EnvSource = processEnv): PushEnv {
  const vapid = { ...vapidEnv, nodeEnv: shape.nodeEnv }
  const faults = [findFault(vapid, source, findVapidFault), findFault(mobileEnv, source, findApnsFault)].flat()
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
export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}

/** A fault of variables that do not fit together; those that cannot be used by themselves are reported as such. */
function findFault<S extends EnvShape>(
  part: S,
  source: EnvSource,
  find: (env: EnvOf<S>) => EnvFault | undefined,
): EnvFault[] {
  try {
    const fault = find(readEnv(part, source))
    return fault ? [fault] : []
  } catch (error) {
    if (!(error instanceof EnvError)) throw error
    return []
  }
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
