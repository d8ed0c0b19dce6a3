import type { LoadAfter } from './load-after.js'
import type { RealtimeError } from './realtime-error.js'
import type { GetToken } from './token-source.js'

export interface RealtimeOptions {
  /**
   * The address of RabbitMQ's Web MQTT, such as `wss://rabbitmq.example.com/ws`. Of several, one is chosen by chance, and
   * the next one is tried after a failure.
   */
  url: string | readonly string[]
  /**
   * Asks the application's server for a token that `createRealtimeToken` has just made; one from a cache would end before
   * the client knows.
   */
  getToken: GetToken
  loadAfter: LoadAfter
  /**
   * How often all open conversations are asked about, in seconds, give or take a tenth. It is how late the last message of
   * a conversation may be if the broadcast of it is lost. Default 60.
   */
  checkEverySeconds?: number
  /**
   * After how many seconds without anything to send the browser asks the broker for a sign of life. A dead connection is
   * noticed after one and a half times that. Default 20.
   */
  keepaliveSeconds?: number
  /** How long the broker, `getToken` and `loadAfter` may take to answer, in seconds. Default 10. */
  timeoutSeconds?: number
  /** Called with what goes wrong; the client goes on by itself. Default: a warning on the console. */
  onError?(error: RealtimeError): void
}

export interface ResolvedRealtimeOptions {
  urls: readonly string[]
  getToken: GetToken
  loadAfter: LoadAfter
  checkEveryMs: number
  keepaliveSeconds: number
  timeoutMs: number
  onError(error: RealtimeError): void
}

/** @throws TypeError that names the option */
export function resolveRealtimeOptions(options: RealtimeOptions): ResolvedRealtimeOptions {
  const { url, getToken, loadAfter, checkEverySeconds = 60, keepaliveSeconds = 20, timeoutSeconds = 10 } = options
  const urls = [url].flat()
  if (urls.length === 0 || !urls.every(isWebSocketUrl)) {
    fail('url', `expected one or more addresses that begin with ws:// or wss://, found ${String(url)}`)
  }
  if (typeof getToken !== 'function') fail('getToken', 'expected a function that asks your server for a token')
  if (typeof loadAfter !== 'function') fail('loadAfter', 'expected a function that asks your server for messages')
  checkSeconds({ checkEverySeconds, keepaliveSeconds, timeoutSeconds })
  return {
    urls,
    getToken,
    loadAfter,
    checkEveryMs: checkEverySeconds * 1000,
    keepaliveSeconds,
    timeoutMs: timeoutSeconds * 1000,
    onError: options.onError ?? warn,
  }
}

function isWebSocketUrl(url: unknown): boolean {
  return typeof url === 'string' && /^wss?:\/\/[^/]/.test(url)
}

function checkSeconds(options: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number' && value >= 1 && value <= 3600) continue
    fail(name, `expected seconds from 1 to 3600, found ${String(value)}`)
  }
}

function fail(name: string, reason: string): never {
  throw new TypeError(`connectRealtime: ${name}: ${reason}`)
}

function warn(error: RealtimeError): void {
  // biome-ignore lint/suspicious/noConsole: a page has no other log, and onError replaces it
  console.warn(`${error.name} ${error.code}: ${error.message}`, error)
}
