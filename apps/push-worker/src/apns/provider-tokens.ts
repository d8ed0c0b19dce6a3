import { createPrivateKey, sign } from 'node:crypto'
import type { ApnsSettings } from './apns-env.js'

/**
 * The JSON Web Token by which Apple knows us: ES256, and the same for both environments and for every connection.
 *
 * Apple refuses a token whose `iat` is not within the last hour (`ExpiredProviderToken`), and a new one that comes less
 * than 20 minutes after the last (`TooManyProviderTokenUpdates`), whatever the reason for it.
 */
export interface ProviderTokens {
  /** Counts the tokens that were signed. */
  readonly signings: number
  /** The token to send with, signed anew when it is 50 minutes old, or is of the future because the clock was set back. */
  get(): string
  /**
   * After a token was refused for its age: another one, if there is one by now or may be. Undefined if the last is less
   * than 20 minutes old: then it is the clock that is wrong, ours or Apple's.
   */
  renew(refused: string): string | undefined
}

export interface ProviderTokensOptions extends Pick<ApnsSettings, 'key' | 'keyId' | 'teamId'> {
  /** Milliseconds since 1970. */
  now?: () => number
  /** Milliseconds of a clock that nobody sets: Apple's 20 minutes are kept by it. */
  uptime?: () => number
}

const minute = 60_000
const renewAfterMs = 50 * minute
const leastMs = 20 * minute

export function createProviderTokens(options: ProviderTokensOptions): ProviderTokens {
  const { key, keyId, teamId, now = Date.now, uptime = () => performance.now() } = options
  const privateKey = createPrivateKey(key)
  const header = encode({ alg: 'ES256', kid: keyId })
  let last: { token: string; signedAt: number; signedAtUptime: number } | undefined
  let signings = 0

  function signNew(): string {
    const signedAt = now()
    const content = `${header}.${encode({ iss: teamId, iat: Math.floor(signedAt / 1000) })}`
    // A JWT has the two numbers one after the other (RFC 7518, section 3.4); Node's default is DER.
    const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    last = { token: `${content}.${signature.toString('base64url')}`, signedAt, signedAtUptime: uptime() }
    signings += 1
    return last.token
  }

  return {
    get signings() {
      return signings
    },
    get() {
      if (!last) return signNew()
      const age = now() - last.signedAt
      const isFresh = age >= 0 && age < renewAfterMs
      return isFresh || uptime() - last.signedAtUptime < leastMs ? last.token : signNew()
    },
    renew(refused) {
      if (last && last.token !== refused) return last.token
      return last && uptime() - last.signedAtUptime < leastMs ? undefined : signNew()
    },
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
