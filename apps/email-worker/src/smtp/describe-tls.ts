import type { SmtpSettings } from './parse-smtp-url.js'

/** What is between us and the mail server, for the log of the start. */
export function describeTls({ tls, auth }: Pick<SmtpSettings, 'tls' | 'auth'>, { byToken = false } = {}): string {
  const secret = byToken ? 'Access tokens' : 'Password'
  const what = auth === undefined ? 'Mails are' : `${secret} and mails are`
  switch (tls) {
    case 'implicit':
      return `${what} sent over TLS from the start`
    case 'required':
      return `${what} sent over STARTTLS only`
    case 'opportunistic':
      return `${what} sent over STARTTLS if the mail server offers it, and else in clear`
    case 'off':
      return `${what} sent in clear`
  }
}
