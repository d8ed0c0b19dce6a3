import { parseBrokerUrl } from '@mono/rascal-config'
import { credentials } from 'amqplib'

export interface BrokerEndpoint {
  /** For amqplib: without user and password, with the heartbeat. */
  url: string
  credentials: ReturnType<typeof credentials.plain> | undefined
  /** `host:port/vhost`, for messages and logs; never a password. */
  name: string
  vhost: string
  user: string
}

/** When the URL names none. */
const amqplibsUser = 'guest'

/**
 * User and password travel beside the URL, because amqplib reads those in a URL as Latin-1.
 *
 * @throws BrokerUrlError if it is no AMQP URL
 */
export function toBrokerEndpoint(url: string, { heartbeatSeconds }: { heartbeatSeconds: number }): BrokerEndpoint {
  const { url: bareUrl, credentials: login, name, vhost } = parseBrokerUrl(url)
  return {
    url: withHeartbeat(bareUrl, heartbeatSeconds),
    credentials: login && credentials.plain(login.user, login.password),
    name,
    vhost,
    user: login?.user ?? amqplibsUser,
  }
}

/** For a question that any node of the cluster can answer. */
export function toFirstEndpoint([url]: readonly string[]): BrokerEndpoint | undefined {
  return url === undefined ? undefined : toBrokerEndpoint(url, { heartbeatSeconds: 10 })
}

function withHeartbeat(text: string, seconds: number): string {
  const url = new URL(text)
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(seconds))
  return url.href
}
