import { type EnvFault, type EnvOf, findIncompleteFault, secret, url, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import type { SmtpSettings } from '../smtp/parse-smtp-url.js'

/** How the worker logs in at the mail server without a password. Without these, it has one or does not log in. */
export const oauthEnv = {
  oauthTokenUrl: variable('SMTP_OAUTH_TOKEN_URL', url({ schemes: ['https'] }).optional()),
  oauthClientId: variable('SMTP_OAUTH_CLIENT_ID', z.string().optional()),
  oauthClientSecret: secret('SMTP_OAUTH_CLIENT_SECRET', z.string().optional()),
  oauthScope: variable('SMTP_OAUTH_SCOPE', z.string().optional()),
  /** With one, tokens are for the mailbox of whoever has consented; without, for the app itself. */
  oauthRefreshToken: secret('SMTP_OAUTH_REFRESH_TOKEN', z.string().optional()),
}

export type OAuthEnv = EnvOf<typeof oauthEnv>

export interface OAuthSettings {
  /** The address of the token endpoint: `https:`. */
  tokenUrl: URL
  clientId: string
  clientSecret: string
  /** The rights that the tokens are to give. Undefined: not said. */
  scope: string | undefined
  /** Undefined: client credentials are the grant. */
  refreshToken: string | undefined
}

/** Undefined if the worker does not log in by OAuth 2. */
export function toOAuthSettings(env: OAuthEnv): OAuthSettings | undefined {
  const { oauthTokenUrl, oauthClientId, oauthClientSecret, oauthScope, oauthRefreshToken } = env
  if (oauthTokenUrl === undefined || oauthClientId === undefined || oauthClientSecret === undefined) return undefined
  return {
    tokenUrl: new URL(oauthTokenUrl),
    clientId: oauthClientId,
    clientSecret: oauthClientSecret,
    scope: oauthScope,
    refreshToken: oauthRefreshToken,
  }
}

/** Half a setting is a mistake, and so is a scope or a refresh token for nothing. */
export function findOAuthFault(env: OAuthEnv): EnvFault | undefined {
  const isOff = (env.oauthTokenUrl ?? env.oauthClientId ?? env.oauthClientSecret) === undefined
  if (isOff && (env.oauthScope ?? env.oauthRefreshToken) !== undefined) {
    const expected = 'an https:// URL, because SMTP_OAUTH_SCOPE or SMTP_OAUTH_REFRESH_TOKEN is set'
    return { name: 'SMTP_OAUTH_TOKEN_URL', expected, found: 'nothing' }
  }
  return findIncompleteFault({
    SMTP_OAUTH_TOKEN_URL: env.oauthTokenUrl,
    SMTP_OAUTH_CLIENT_ID: env.oauthClientId,
    SMTP_OAUTH_CLIENT_SECRET: env.oauthClientSecret,
  })
}

/** The token is for somebody, and takes the place of a password. */
export function findOAuthUserFault(
  env: OAuthEnv & { smtp?: Pick<SmtpSettings, 'auth'> | undefined },
): EnvFault | undefined {
  if (toOAuthSettings(env) === undefined || env.smtp?.auth?.pass === '') return undefined
  const expected = 'a user and no password (smtp://user@host), because SMTP_OAUTH_TOKEN_URL is set'
  const found = env.smtp === undefined ? 'nothing' : env.smtp.auth === undefined ? 'no user' : 'a password (not shown)'
  return { name: 'SMTP_URL', expected, found }
}
