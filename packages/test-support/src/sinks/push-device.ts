import { createECDH, type ECDH, randomBytes, randomUUID } from 'node:crypto'

/** What a browser hands to its application after `pushManager.subscribe`. */
export interface PushDevice {
  endpoint: string
  /** Base64url. */
  p256dh: string
  /** Base64url. */
  auth: string
}

/** With the secrets that only the browser has. */
export interface PushReceiver {
  /** Of the endpoint. */
  path: string
  device: PushDevice
  ecdh: ECDH
  publicKey: Buffer
  authSecret: Buffer
  /** Base64url. The application server key the subscription is restricted to. */
  vapidPublicKey: string | undefined
}

function createPushReceiver(options: { origin: string; vapidPublicKey: string | undefined }): PushReceiver {
  const path = `/push/${randomUUID()}`
  const ecdh = createECDH('prime256v1')
  const publicKey = ecdh.generateKeys()
  const authSecret = randomBytes(16)
  return {
    path,
    device: {
      endpoint: `${options.origin}${path}`,
      p256dh: publicKey.toString('base64url'),
      auth: authSecret.toString('base64url'),
    },
    ecdh,
    publicKey,
    authSecret,
    vapidPublicKey: options.vapidPublicKey,
  }
}

/** The devices of a push service, by the path of their endpoints. */
export interface PushSubscriptions {
  add(options: { origin: string; vapidPublicKey: string | undefined }): PushDevice
  find(path: string): PushReceiver | undefined
}

export function createPushSubscriptions(): PushSubscriptions {
  const receivers = new Map<string, PushReceiver>()
  return {
    add(options) {
      const receiver = createPushReceiver(options)
      receivers.set(receiver.path, receiver)
      return receiver.device
    },
    find: (path) => receivers.get(path),
  }
}
