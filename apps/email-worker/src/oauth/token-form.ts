import type { OAuthSettings } from './oauth-env.js'

/** The form that asks for a token (RFC 6749, sections 4.4.2 and 6), with the app's id and secret in it. */
export class TokenForm {
  readonly #settings: OAuthSettings
  #refreshToken: string | undefined

  constructor(settings: OAuthSettings) {
    this.#settings = settings
    this.#refreshToken = settings.refreshToken
  }

  create(): URLSearchParams {
    const { clientId, clientSecret, scope } = this.#settings
    const refreshToken = this.#refreshToken
    return new URLSearchParams({
      ...(refreshToken === undefined
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'refresh_token', refresh_token: refreshToken }),
      client_id: clientId,
      client_secret: clientSecret,
      ...(scope !== undefined && { scope }),
    })
  }

  /** The endpoint may have taken the last one back. Client credentials need none. */
  replaceRefreshToken(refreshToken: string): void {
    if (this.#refreshToken !== undefined) this.#refreshToken = refreshToken
  }
}
