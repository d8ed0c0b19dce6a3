import { AccessTokenError, type AccessTokens } from '@mono/access-tokens'
import type { SMTPConnectionCustomAuthContext } from 'nodemailer/lib/smtp-connection'
import { MissingTokenError, SmtpLoginError } from '../smtp/smtp-login-error.js'
import { adviseOnTokenRefusal } from './advise-on-token-refusal.js'

type Context = Pick<SMTPConnectionCustomAuthContext, 'auth' | 'authMethods' | 'sendCommand'>

/** Logs in on one connection. @throws SmtpLoginError */
export type OAuthLogin = (context: Context) => Promise<void>

export interface OAuthLoginOptions {
  tokens: Pick<AccessTokens, 'get' | 'renew'>
  /** Ends the waiting for a token. */
  signal: AbortSignal
  /** Milliseconds of a clock that never goes back. */
  uptime?: () => number
}

/**
 * Tokens that have never been accepted are renewed no more often: a server that takes none is not to become the token
 * endpoint's trouble. One that was accepted has been revoked.
 */
const leastRenewMs = 60_000

/** Exchange tells of its own settings by this code: the token was in order. */
const isAboutPolicy = /\b5\.7\.139\b/

/**
 * Makes the login by XOAUTH2 (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol) that nodemailer is
 * given. Its own renews a refused token only after a challenge; Exchange refuses without one.
 */
export function createOAuthLogin({ tokens, signal, uptime = () => performance.now() }: OAuthLoginOptions): OAuthLogin {
  let renewedAt = Number.NEGATIVE_INFINITY
  let accepted: string | undefined

  /** Undefined if that would not help. */
  async function findAnother(refused: string): Promise<string | undefined> {
    const token = await getToken(() => tokens.get(signal))
    if (token !== refused) return token
    if (refused !== accepted && uptime() - renewedAt < leastRenewMs) return undefined
    renewedAt = uptime()
    return await getToken(() => tokens.renew(refused, signal))
  }

  return async ({ auth, authMethods, sendCommand }) => {
    if (!authMethods.includes('XOAUTH2')) {
      throw new SmtpLoginError('The mail server offers no login by XOAUTH2; check SMTP_URL')
    }
    const tryToken = async (token: string) => {
      const answer = await authenticate(String(auth.user), token, sendCommand)
      const isAccepted = answer.startsWith('2')
      if (isAccepted) accepted = token
      return { isAccepted, isRefused: isTokenRefused(answer) }
    }
    const token = await getToken(() => tokens.get(signal))
    const first = await tryToken(token)
    if (first.isAccepted) return
    const another = first.isRefused ? await findAnother(token) : undefined
    const last = another === undefined ? first : await tryToken(another)
    if (!last.isAccepted) throw new SmtpLoginError('The mail server refuses the login by XOAUTH2')
  }
}

function isTokenRefused(answer: string): boolean {
  return answer.startsWith('5') && !isAboutPolicy.test(answer)
}

/** Returns the last answer. */
async function authenticate(user: string, token: string, sendCommand: Context['sendCommand']): Promise<string> {
  const credentials = Buffer.from(`user=${user}\x01auth=Bearer ${token}\x01\x01`).toString('base64')
  const { response } = await sendCommand(`AUTH XOAUTH2 ${credentials}`)
  // A challenge with the reasons, which has to be answered for the refusal to come.
  return response.startsWith('334') ? (await sendCommand('')).response : response
}

/** @throws MissingTokenError in place of AccessTokenError */
async function getToken(get: () => Promise<string>): Promise<string> {
  try {
    return await get()
  } catch (error) {
    if (!(error instanceof AccessTokenError)) throw error
    const { code, reason } = error
    const what = code === 'ACCESS_TOKEN_UNAVAILABLE' ? 'The token endpoint is away' : adviseOnTokenRefusal(error.error)
    throw new MissingTokenError(`${what} (${reason})`, error)
  }
}
