import { credentials } from 'amqplib'

export interface BrokerEndpoint {
  /** For amqplib: without user and password, with the heartbeat. */
  url: string
  credentials: ReturnType<typeof credentials.plain> | undefined
  /** `host:port/vhost`, for messages and logs; never a password. */
  name: string
  vhost: string
}

/**
 * User and password travel beside the URL, because amqplib reads those in a URL as Latin-1.
 *
 * @throws TypeError if it is no AMQP URL. The message never quotes the URL, which may hold a password.
 */
export function parseBrokerUrl(text: string, { heartbeatSeconds }: { heartbeatSeconds: number }): BrokerEndpoint {
  const url = parseUrl(text)
  const { username, password } = url
  const vhost = decode(url.pathname.slice(1)) || '/'
  const port = url.port || (url.protocol === 'amqps:' ? '5671' : '5672')
  url.username = ''
  url.password = ''
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds))
  return {
    url: url.href,
    credentials: username || password ? credentials.plain(decode(username), decode(password)) : undefined,
    name: `${url.hostname}:${port}/${vhost === '/' ? '' : vhost}`,
    vhost,
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'amqp:' || url.protocol === 'amqps:') && url.hostname) return url
  const found = url ? `a URL with the scheme '${url.protocol}'` : 'text that is not a URL'
  throw new TypeError(`Expected a broker URL like amqp://user:password@host:5672/vhost or amqps://…, found ${found}.`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('Expected a percent-encoded broker URL: write a literal % as %25.')
  }
}
