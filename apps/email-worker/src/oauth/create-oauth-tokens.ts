import { AccessTokens } from '@mono/access-tokens'
import { createHttpOriginClient } from '@mono/http-client'
import type { Logger } from '@mono/message-queue'
import type { OwnMetric } from '@mono/worker-runtime'
import { adviseOnTokenRefusal } from './advise-on-token-refusal.js'
import type { OAuthSettings } from './oauth-env.js'
import { TokenForm } from './token-form.js'

export interface OAuthTokens {
  tokens: AccessTokens
  metric: OwnMetric
  /** Ends all connections to the token endpoint. */
  close(): Promise<void>
}

/** The access tokens for the mail server. The first is asked for at once, so that a fault is in the log before a mail is. */
export function createOAuthTokens(settings: OAuthSettings, { logger }: { logger: Logger }): OAuthTokens {
  const client = createHttpOriginClient({ maxConcurrent: 1 })
  const form = new TokenForm(settings)
  const stopping = new AbortController()
  const tokens = new AccessTokens({
    url: settings.tokenUrl,
    createForm: () => form.create(),
    adviseOnRefusal: adviseOnTokenRefusal,
    onRefreshToken: (refreshToken) => form.replaceRefreshToken(refreshToken),
    client,
    logger,
  })
  // A failure is in the log, and comes up again with the first mail.
  tokens.get(stopping.signal).catch(() => {})
  return {
    tokens,
    metric: {
      kind: 'counter',
      name: 'mono_email_token_refreshes_total',
      help: 'Access tokens for the mail server that were fetched',
      read: () => tokens.refreshes,
    },
    async close() {
      stopping.abort()
      await client.close()
    },
  }
}
