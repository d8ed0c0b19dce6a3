import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PushService, TestFixtures } from '@mono/test-support'
import type { FcmService } from '@mono/test-support/sinks'
import type { VapidKeys } from 'web-push'
import { type ApnsFarEnd, createApnsEnvironment } from './apns-far-end.js'

export interface PushEnvironmentOptions {
  /** Trusted, and allowed as endpoints. */
  services: readonly PushService[]
  /** Trusted, and where devices of FCM are. Default: the channel is off. */
  fcm?: FcmService | undefined
  /** Trusted, and sent to. Default: the channel is off. */
  apns?: ApnsFarEnd | undefined
  keys: VapidKeys
  cleanUp: TestFixtures['cleanUp']
}

/** What a push worker needs beside the addresses of broker and database. */
export function createPushEnvironment({
  services,
  fcm,
  apns,
  keys,
  cleanUp,
}: PushEnvironmentOptions): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'push-worker-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  const authorities = join(directory, 'authorities.pem')
  const trusted = [...services, ...(fcm ? [fcm] : []), ...(apns ? [apns.production, apns.sandbox] : [])]
  writeFileSync(authorities, [...new Set(trusted.map(({ ca }) => ca))].join('\n'))
  return {
    NODE_EXTRA_CA_CERTS: authorities,
    PUSH_ENDPOINT_ALLOW: services.map(({ port }) => `localhost:${port}`).join(','),
    VAPID_SUBJECT: 'mailto:ops@example.com',
    VAPID_PUBLIC_KEY: keys.publicKey,
    VAPID_PRIVATE_KEY: keys.privateKey,
    ...(fcm && { FCM_ORIGIN: fcm.origin, FCM_SERVICE_ACCOUNT: JSON.stringify(fcm.tokenEndpoint.serviceAccount) }),
    ...(apns && createApnsEnvironment(apns)),
  }
}
