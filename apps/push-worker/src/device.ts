export const channels = ['web', 'fcm', 'apns'] as const

/** How a device is reached. */
export type Channel = (typeof channels)[number]

/** A row of `push.devices`. */
export interface Device {
  /** A bigint, as `pg` gives it. */
  id: string
  channel: Channel
  /** The endpoint of a web subscription; a token, or an installation id, otherwise. */
  address: string
  /** What the address of an `fcm` device is: its token, or its Firebase installation id. */
  addressKind: 'token' | 'fid'
  /** Which of Apple's servers knows an `apns` device. */
  environment: 'production' | 'sandbox'
  /** When the application registered it last, ISO 8601 with microseconds. */
  registeredAt: string
  /** The subscription's keys, base64url; of web devices only. */
  p256dh: string | null
  auth: string | null
  isDisabled: boolean
  /** Notifications in a row that the push service refused for this device while it took those of others. */
  refusals: number
}

/** Why the worker disables a device at once: the push service does not know it any more, or it can never be served. */
export type DisableReason = 'gone' | 'invalid-keys' | 'invalid-endpoint' | 'invalid-token' | 'wrong-sender'
