import type { TestFixtures } from '@mono/test-support'
import {
  type ApnsKey,
  type ApnsService,
  type ApnsServiceOptions,
  createApnsKey,
  createApnsService,
} from '@mono/test-support/sinks'

/** Apple's two servers, and the key that the worker has. */
export interface ApnsFarEnd {
  key: ApnsKey
  production: ApnsService
  sandbox: ApnsService
}

export interface ApnsFarEndOptions extends Partial<Omit<ApnsServiceOptions, 'topic' | 'environment'>> {
  /** The worker's key. Default: one that both servers know. */
  key?: ApnsKey
}

const topic = 'com.example.app'

export async function createApnsFarEnd(
  cleanUp: TestFixtures['cleanUp'],
  { key = createApnsKey(), ...options }: ApnsFarEndOptions = {},
): Promise<ApnsFarEnd> {
  const open = async (environment: 'production' | 'sandbox') => {
    const service = await createApnsService({ keys: [key], topic, environment, ...options })
    cleanUp(() => service.close())
    return service
  }
  return { key, production: await open('production'), sandbox: await open('sandbox') }
}

/** A push worker needs these to send there. */
export function createApnsEnvironment({ key, production, sandbox }: ApnsFarEnd): Record<string, string> {
  return {
    APNS_KEY: key.privateKey,
    APNS_KEY_ID: key.keyId,
    APNS_TEAM_ID: key.teamId,
    APNS_TOPIC: topic,
    APNS_ORIGIN: `https://localhost:${production.port}`,
    APNS_SANDBOX_ORIGIN: `https://localhost:${sandbox.port}`,
  }
}
