import { createPrivateKey } from 'node:crypto'
import { type EnvFault, type EnvOf, secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import type { Channel } from './device.js'

const tenCharacters = (what: string) => z.string().regex(/^[A-Z0-9]{10}$/, `${what}: 10 capital letters and digits`)

/** The settings of the channels to apps. They are checked, but these channels are off. */
export const mobileEnv = {
  fcmServiceAccount: secret(
    'FCM_SERVICE_ACCOUNT',
    z.string().refine(isServiceAccount, 'the JSON of a service account with its key').optional(),
  ),
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
}

type MobileEnv = EnvOf<typeof mobileEnv>

/** Half a setting is a mistake. */
export function findApnsFault({ apnsKey, apnsKeyId, apnsTeamId, apnsTopic }: MobileEnv): EnvFault | undefined {
  const values = { APNS_KEY_FILE: apnsKey, APNS_KEY_ID: apnsKeyId, APNS_TEAM_ID: apnsTeamId, APNS_TOPIC: apnsTopic }
  const missing = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [name] : []))
  const [first] = missing
  if (first === undefined || missing.length === Object.keys(values).length) return undefined
  const expected = `all of ${Object.keys(values).join(', ')}, or none`
  return { name: first, expected, found: `nothing for ${missing.join(', ')}` }
}

export function findConfiguredChannels({ fcmServiceAccount, apnsKey }: MobileEnv): Channel[] {
  return [...(fcmServiceAccount ? (['fcm'] as const) : []), ...(apnsKey ? (['apns'] as const) : [])]
}

function isServiceAccount(text: string): boolean {
  try {
    const account = z
      .object({
        type: z.literal('service_account'),
        project_id: z.string(),
        client_email: z.string(),
        private_key: z.string(),
      })
      .parse(JSON.parse(text))
    return createPrivateKey(account.private_key).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}

function isEcKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyType === 'ec'
  } catch {
    return false
  }
}
