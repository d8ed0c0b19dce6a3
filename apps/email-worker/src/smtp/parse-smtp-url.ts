export interface SmtpSettings {
  host: string
  port: number
  /** TLS from the start (`smtps://`). */
  secure: boolean
  /** Refuse a server that does not offer STARTTLS: so on port 587, where mail is submitted with a password. */
  requireTls: boolean
  auth?: { user: string; pass: string }
  /** Connections at most; as many mails are on their way at a time. */
  maxConnections: number
}

export const defaultMaxConnections = 10

/**
 * Reads `smtp://user:password@host:587?maxConnections=10`. Default ports: 587, for `smtps://` 465.
 *
 * @throws Error that says what was expected, without any of the URL's secrets
 */
export function parseSmtpUrl(text: string): SmtpSettings {
  const url = new URL(text)
  const secure = url.protocol === 'smtps:'
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port)
  const user = decode(url.username)
  const pass = decode(url.password)
  if (url.pathname !== '' && url.pathname !== '/') throw new Error('expected nothing after the port but parameters')
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'maxConnections')
  if (unknown !== undefined) throw new Error('expected no parameter but maxConnections')
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    secure,
    requireTls: !secure && port === 587,
    ...(user === '' ? {} : { auth: { user, pass } }),
    maxConnections: parseMaxConnections(url.searchParams.get('maxConnections')),
  }
}

function parseMaxConnections(text: string | null): number {
  if (text === null) return defaultMaxConnections
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > 100) throw new Error('expected maxConnections to be an integer from 1 to 100')
  return value
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('expected user and password to be URL-encoded')
  }
}
