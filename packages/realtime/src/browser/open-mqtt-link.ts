import mqtt, { type MqttClient } from 'mqtt'
import type { Link, LinkOptions, OpenLink } from './link.js'
import { RealtimeError } from './realtime-error.js'
import { withTimeLimit } from './with-time-limit.js'

/** The answers to CONNECT that are about the token: bad user name or password, and not authorized. */
const refusals = new Set([4, 5])

/** In the answer to SUBSCRIBE. */
const failureBit = 0x80

/** Opens an MQTT 3.1.1 connection over WebSocket, with a session that ends with it. */
export const openMqttLink: OpenLink = async (options, signal) => {
  const link = new MqttLink(options)
  try {
    await withTimeLimit({ ms: options.timeoutMs, signal }, () => link.opened)
    return link
  } catch (error) {
    link.end()
    if (error instanceof RealtimeError) throw error
    const message = `no connection to ${options.url}: ${(error as Error).message}`
    throw new RealtimeError('CONNECTION_FAILED', message, { cause: error })
  }
}

class MqttLink implements Link {
  readonly opened: Promise<void>
  readonly #options: LinkOptions
  readonly #client: MqttClient
  #isOpen = false
  #isOver = false

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
      connectTimeout: options.timeoutMs,
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
      this.#client.on('close', () => fail(new Error('the connection was closed')))
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
        if (packet === undefined) reject(error ?? new Error('the subscription was not answered'))
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
