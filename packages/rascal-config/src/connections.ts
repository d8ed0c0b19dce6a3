import type { ConnectionConfig, Credentials, VhostConfig } from './broker-config.js'
import { type BrokerUrl, parseBrokerUrl } from './parse-broker-url.js'

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
 * @throws Error if there is no URL; BrokerUrlError if one cannot be used
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
  text: string,
  subject: string,
  { connectionName, signal }: Omit<ConnectionOptions, 'urls'>,
): ConnectionConfig {
  const broker = parseBrokerUrl(text, subject)
  return {
    url: toRascalUrl(broker),
    options: { heartbeat: 10 },
    socketOptions: {
      signal,
      timeout: 5_000,
      // By default amqplib leaves Nagle's algorithm on, and a body above 2 KiB waits 40 ms for an acknowledgement.
      noDelay: true,
      clientProperties: { connection_name: connectionName },
      ...(broker.credentials && { credentials: toPlainMechanism(broker.credentials) }),
    },
  }
}

/**
 * User and password travel beside the URL. Inside it, rascal splits a user name at a colon and shows part of a password
 * with a colon in its log lines, and amqplib reads non-ASCII characters as Latin-1.
 */
function toPlainMechanism({ user, password }: { user: string; password: string }): Credentials {
  // RFC 4616: authorization identity (none), user and password, parted by NUL.
  return { mechanism: 'PLAIN', response: () => Buffer.from(['', user, password].join('\0')) }
}

/** Rascal decodes the path without encoding it again, and amqplib decodes it once more. */
function toRascalUrl({ url, vhost }: BrokerUrl): string {
  const encoded = new URL(url)
  const isVhostNamed = encoded.pathname.length > 1
  if (isVhostNamed) encoded.pathname = encodeURIComponent(encodeURIComponent(vhost))
  return encoded.href
}
