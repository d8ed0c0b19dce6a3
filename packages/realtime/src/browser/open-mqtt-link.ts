import mqtt, { type MqttClient } from 'mqtt'
import { describeCause } from './describe-cause.js'
import type { Link, LinkOptions, OpenLink } from './link.js'
import { LinkClosedError } from './link-closed-error.js'
import { RealtimeError } from './realtime-error.js'
import { withTimeLimit } from './with-time-limit.js'

/** The answers to CONNECT that are about the token: bad user name or password, and not authorized. */
const refusals = new Set([4, 5])

const closedAtOnce = 'it was closed at once, because the broker cannot be reached or does not take the token'

/** In the answer to SUBSCRIBE. */
const failureBit = 0x80

/** Opens an MQTT 3.1.1 connection over WebSocket, with a session that ends with it. */
export const openMqttLink: OpenLink = async (options, signal) => {
  signal.throwIfAborted()
  let link: MqttLink | undefined
  try {
    link = new MqttLink(options)
    const { opened } = link
    await withTimeLimit({ ms: options.timeoutMs, signal }, () => opened)
    return link
  } catch (error) {
    link?.end()
    if (error instanceof RealtimeError) throw error
    // The browser itself may refuse, such as ws: in a page that came by https:.
    const message = `no connection to ${options.url}: ${describeCause(error)}`
    throw new RealtimeError('CONNECTION_FAILED', message, { cause: error })
  }
}

class MqttLink implements Link {
  readonly opened: Promise<void>
  readonly #options: LinkOptions
  readonly #client: MqttClient
  #isOpen = false
  #isOver = false
  #isClosedByBroker = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.#client = mqtt.connect(options.url, {
      protocolVersion: 4,
      clean: true,
      clientId: `${options.token.subject}.${createRandomName()}`,
      // RabbitMQ takes the user from the token.
      username: '',
      password: options.token.value,
      keepalive: options.keepaliveSeconds,
      // The limit that counts is that of openMqttLink, which says so in words.
      connectTimeout: 2 * options.timeoutMs,
      reconnectPeriod: 0,
      resubscribe: false,
    })
    this.#client.on('message', (topic, payload) => {
      if (!this.#isOver) options.onMessage(topic, payload)
    })
    this.opened = this.#waitUntilOpen()
  }

  async subscribe(topics: readonly string[]): Promise<string[]> {
    const { timeoutMs: ms } = this.#options
    if (this.#isOver) throw new Error('the connection is over')
    try {
      return await withTimeLimit({ ms, signal: new AbortController().signal }, () => this.#sendSubscribe([...topics]))
    } catch (error) {
      this.#lose(error as Error)
      throw error
    }
  }

  unsubscribe(topic: string): void {
    // Without a callback the client emits an error when it is ending.
    if (!this.#isOver) this.#client.unsubscribe(topic, () => {})
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#client.end(!this.#client.connected)
  }

  #waitUntilOpen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.once('connect', () => {
        this.#isOpen = true
        resolve()
      })
      const fail = (error: Error) => {
        reject(this.#toOpeningError(error))
        this.#lose(error)
      }
      this.#client.on('error', fail)
      this.#client.on('close', () => {
        this.#isClosedByBroker ||= !this.#isOver
        fail(new Error(this.#isOpen ? 'it was closed' : closedAtOnce))
      })
    })
  }

  #toOpeningError(error: Error & { code?: unknown }): Error {
    if (!refusals.has(Number(error.code))) return error
    return new RealtimeError('TOKEN_REFUSED', `the broker does not take the token: ${error.message}`, { cause: error })
  }

  #lose(reason: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#client.end(true)
    if (this.#isOpen) this.#options.onLost(reason)
  }

  #sendSubscribe(topics: string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#client.subscribe(topics, { qos: 0 }, (error, _granted, packet) => {
        if (packet === undefined) reject(this.#isClosedByBroker ? new LinkClosedError() : error)
        else resolve(topics.filter((_, index) => (Number(packet.granted[index]) & failureBit) !== 0))
      })
    })
  }
}

/** 128 bits that nobody guesses: whoever knows a client id, and has a token of the same user, can end its session. */
function createRandomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
