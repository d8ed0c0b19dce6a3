import { createPrivateKey } from 'node:crypto'
import { type EnvFault, type EnvOf, findIncompleteFault, origin, secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'

const tenCharacters = (what: string) => z.string().regex(/^[A-Z0-9]{10}$/, `${what}: 10 capital letters and digits`)

/** The settings of Apple's push service. Without the first four, the channel is off. */
export const apnsEnv = {
  apnsKey: secret('APNS_KEY', z.string().refine(isEcKey, 'the key that Apple gave, a .p8 in PEM').optional()),
  apnsKeyId: variable('APNS_KEY_ID', tenCharacters('the id of the key').optional()),
  apnsTeamId: variable('APNS_TEAM_ID', tenCharacters('the id of the team').optional()),
  apnsTopic: variable(
    'APNS_TOPIC',
    z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,255}$/, 'the bundle id of the app')
      .optional(),
  ),
  /** Other addresses than Apple's, for tests and proxies. */
  apnsOrigin: variable('APNS_ORIGIN', origin('https://api.push.apple.com')),
  apnsSandboxOrigin: variable('APNS_SANDBOX_ORIGIN', origin('https://api.sandbox.push.apple.com')),
}

export interface ApnsSettings {
  /** The `.p8` file, PEM. */
  key: string
  keyId: string
  teamId: string
  topic: string
}

/** Undefined if the channel is off. */
export function toApnsSettings(env: EnvOf<typeof apnsEnv>): ApnsSettings | undefined {
  const { apnsKey: key, apnsKeyId: keyId, apnsTeamId: teamId, apnsTopic: topic } = env
  if (key === undefined || keyId === undefined || teamId === undefined || topic === undefined) return undefined
  return { key, keyId, teamId, topic }
}

/** Half a setting is a mistake. */
export function findApnsFault(env: EnvOf<typeof apnsEnv>): EnvFault | undefined {
  const { apnsKey, apnsKeyId, apnsTeamId, apnsTopic } = env
  return findIncompleteFault({
    APNS_KEY_FILE: apnsKey,
    APNS_KEY_ID: apnsKeyId,
    APNS_TEAM_ID: apnsTeamId,
    APNS_TOPIC: apnsTopic,
  })
}

/** Apple signs with ES256, which is P-256. */
function isEcKey(text: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(text)
    return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
