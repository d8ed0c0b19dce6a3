import webPush from 'web-push'

export interface VapidKeys {
  /** `mailto:` or `https:`: whom the push service may turn to. */
  subject: string
  /** Uncompressed point of P-256, base64url. */
  publicKey: string
  /** 32 bytes, base64url. */
  privateKey: string
}

/** `Authorization` headers by push service (RFC 8292). Signing takes longer than encrypting a notification. */
export interface VapidTokens {
  /** Counts the headers that were signed. */
  readonly signings: number
  /** The header for an origin, signed again before it expires. */
  get(origin: string): string
  /** After the push service has refused a header: another one, unless there is another one by now. */
  renew(origin: string, refused: string): string
}

export interface VapidTokensOptions {
  keys: VapidKeys
  /** Milliseconds since 1970. */
  now?: () => number
}

/** Push services admit at most 24 hours. */
const lifetimeMs = 12 * 60 * 60 * 1000

/** For clocks that differ, and requests that wait. */
const marginMs = 60 * 60 * 1000

/** Origins come from endpoints, and one of the known push services has any number of host names. */
const maxOrigins = 1000

export function createVapidTokens({ keys, now = Date.now }: VapidTokensOptions): VapidTokens {
  const tokens = new Map<string, { header: string; expiresAt: number }>()

  let signings = 0

  function sign(origin: string): string {
    signings += 1
    const expiresAt = now() + lifetimeMs
    const { subject, publicKey, privateKey } = keys
    const expiration = Math.floor(expiresAt / 1000)
    const headers = webPush.getVapidHeaders(origin, subject, publicKey, privateKey, 'aes128gcm', expiration)
    if (tokens.size >= maxOrigins) tokens.clear()
    tokens.set(origin, { header: headers.Authorization, expiresAt })
    return headers.Authorization
  }

  return {
    get signings() {
      return signings
    },
    get(origin) {
      const known = tokens.get(origin)
      return known && now() < known.expiresAt - marginMs ? known.header : sign(origin)
    },
    renew(origin, refused) {
      const known = tokens.get(origin)
      return known && known.header !== refused ? known.header : sign(origin)
    },
  }
}
