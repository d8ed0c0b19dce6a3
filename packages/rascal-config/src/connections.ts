import type { ConnectionConfig, Credentials, VhostConfig } from './broker-config.js'

/** `amqp:` or `amqps:` URLs of the nodes of one cluster, at least one, and the name shown in the broker's connection list. */
export interface ConnectionOptions {
  urls: readonly string[]
  connectionName: string
  /** Destroys the socket when it is aborted, also in the middle of a handshake that the peer never answers. */
  signal: AbortSignal
}

/**
 * The connection part of a rascal vhost entry.
 *
 * @throws Error if there is no URL, or one cannot be used. The message never quotes the URL, which may hold a password.
 */
export function createConnections(options: ConnectionOptions): Pick<VhostConfig, 'connections' | 'defaults'> {
  // Without any, rascal connects as guest to localhost.
  if (options.urls.length === 0) throw new Error('Expected at least one broker URL, found none.')
  return {
    connections: options.urls.map((url, index) => toConnection(url, `urls[${index}]`, options)),
    // A lost connection ends the rascal broker; whoever needs one makes another. Rascal drops the `retry` of a single
    // connection: only the default of the vhost entry reaches it.
    defaults: { connection: { retry: false } },
  }
}

function toConnection(
  url: string,
  name: string,
  { connectionName, signal }: Omit<ConnectionOptions, 'urls'>,
): ConnectionConfig {
  const parsed = parseUrl(url, name)
  const credentials = toCredentials(parsed, name)
  return {
    url: withoutCredentials(parsed, name),
    options: { heartbeat: 10 },
    socketOptions: {
      signal,
      timeout: 5_000,
      // By default amqplib leaves Nagle's algorithm on, and a body above 2 KiB waits 40 ms for an acknowledgement.
      noDelay: true,
      clientProperties: { connection_name: connectionName },
      ...(credentials && { credentials }),
    },
  }
}

function parseUrl(url: string, name: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'amqp:' || parsed?.protocol === 'amqps:') return parsed
  throw new Error(
    `${name} is not a broker URL: expected amqp://user:password@host:5672/vhost or amqps://…, ` +
      `found ${parsed ? `the scheme '${parsed.protocol}'` : 'text that is not a URL'}.`,
  )
}

/**
 * User and password travel beside the URL. Inside it, rascal splits a user name at a colon and shows part of a password
 * with a colon in its log lines, and amqplib reads non-ASCII characters as Latin-1.
 */
function toCredentials(url: URL, name: string): Credentials | undefined {
  if (url.username === '' && url.password === '') return undefined
  const user = decodePart(url.username, name, 'user name')
  const password = decodePart(url.password, name, 'password')
  // RFC 4616: authorization identity (none), user and password, parted by NUL.
  return { mechanism: 'PLAIN', response: () => Buffer.from(['', user, password].join('\0')) }
}

function withoutCredentials(url: URL, name: string): string {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  // Rascal decodes the path without encoding it again, and amqplib decodes it once more.
  const vhost = decodePart(url.pathname.slice(1), name, 'virtual host')
  bare.pathname = encodeURIComponent(encodeURIComponent(vhost))
  return bare.href
}

function decodePart(text: string, name: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(`The ${part} in ${name} is not percent-encoded: write a literal % as %25.`)
  }
}
