import { BrokerUrlError } from './broker-url-error.js'

export interface BrokerUrl {
  protocol: 'amqp:' | 'amqps:'
  /** An IPv6 address stands in brackets. */
  host: string
  /** That of the protocol if the URL names none. */
  port: number
  /** Decoded; `/` if the URL names none. */
  vhost: string
  /** Decoded as UTF-8. Undefined if the URL names nobody. */
  credentials: { user: string; password: string } | undefined
  /** `host:port/vhost`, for messages and logs; never a password. */
  name: string
  /** The URL without user and password, its path and query as they were given. */
  url: string
}

const defaultPorts = { 'amqp:': 5672, 'amqps:': 5671 }

/**
 * Reads a broker's URL.
 *
 * @param subject how the error names the URL: the option or the variable that it came from
 * @throws BrokerUrlError
 */
export function parseBrokerUrl(text: string, subject = 'broker URL'): BrokerUrl {
  const refuse = (found: string) => new BrokerUrlError(found, { subject })
  const url = parseUrl(text, refuse)
  const { protocol, hostname: host } = url
  const user = decode(url.username, 'user name', refuse)
  const password = decode(url.password, 'password', refuse)
  const vhost = decode(url.pathname.slice(1), 'virtual host', refuse) || '/'
  const port = Number(url.port) || defaultPorts[protocol]
  url.username = ''
  url.password = ''
  return {
    protocol,
    host,
    port,
    vhost,
    credentials: user || password ? { user, password } : undefined,
    name: `${host}:${port}/${vhost === '/' ? '' : vhost}`,
    url: url.href,
  }
}

type Refuse = (found: string) => BrokerUrlError

type AmqpUrl = URL & { protocol: BrokerUrl['protocol'] }

function parseUrl(text: string, refuse: Refuse): AmqpUrl {
  if (text === '') throw refuse('nothing')
  const scheme = /^([a-z][a-z0-9+.-]{0,20}):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) throw refuse('a text that is not a URL (not shown)')
  const kind = `a ${scheme}:// URL`
  if (scheme !== 'amqp' && scheme !== 'amqps') throw refuse(kind)
  if (!URL.canParse(text)) throw refuse(`${kind} that cannot be parsed (not shown; is the password URL-encoded?)`)
  const url = new URL(text)
  if (url.hostname === '') throw refuse(`${kind} without a host`)
  return url as AmqpUrl
}

function decode(part: string, name: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw refuse(`a URL whose ${name} is not percent-encoded (write a literal % as %25)`)
  }
}
