import { origin, secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import { parseServiceAccount, type ServiceAccount } from './service-account.js'

/** The settings of Firebase Cloud Messaging. Without the first, the channel is off. */
export const fcmEnv = {
  fcmServiceAccount: secret('FCM_SERVICE_ACCOUNT', z.string().transform(toServiceAccount).optional()),
  /** Another address than Google's, for tests and proxies. */
  fcmOrigin: variable('FCM_ORIGIN', origin('https://fcm.googleapis.com')),
}

function toServiceAccount(text: string, context: z.RefinementCtx): ServiceAccount {
  const account = parseServiceAccount(text)
  if (!Array.isArray(account)) return account
  for (const { expected, found } of account) {
    context.addIssue({ code: 'custom', message: expected, params: { found: `${found} (not shown)` } })
  }
  return z.NEVER
}
