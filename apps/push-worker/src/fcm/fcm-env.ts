import { createPrivateKey } from 'node:crypto'
import { secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import { origin } from '../sending/origin-env.js'

/** The settings of Firebase Cloud Messaging. Without the first, the channel is off. */
export const fcmEnv = {
  fcmServiceAccount: secret(
    'FCM_SERVICE_ACCOUNT',
    z.string().refine(isServiceAccount, 'the JSON of a service account with its key').optional(),
  ),
  /** Another address than Google's, for tests and proxies. */
  fcmOrigin: variable('FCM_ORIGIN', origin('https://fcm.googleapis.com')),
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
