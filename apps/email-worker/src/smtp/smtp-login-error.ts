import type { AccessTokenError } from '@mono/access-tokens'

/** Ends a login by an access token. nodemailer adds fields and the server's last answer to it, and to its message. */
export class SmtpLoginError extends Error {
  override readonly name: string = 'SmtpLoginError'
  /** For people. */
  readonly words: string

  constructor(words: string, options?: ErrorOptions) {
    super(words, options)
    this.words = words
  }
}

/** There is no access token to log in with. The mail server was not asked, or it was asked with the token before. */
export class MissingTokenError extends SmtpLoginError {
  override readonly name = 'MissingTokenError'
  readonly tokenCode: AccessTokenError['code']

  constructor(words: string, cause: AccessTokenError) {
    super(words, { cause })
    this.tokenCode = cause.code
  }
}
