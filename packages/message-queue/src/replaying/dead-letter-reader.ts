import { settleWithin, sleep } from '@mono/waiting'
import type { Channel, GetMessage } from 'amqplib'
import { BrokerConnection, connectionLimits } from '../connection/broker-connection.js'
import { toBrokerEndpoint } from '../connection/broker-endpoint.js'
import { UnreadableFrameError } from '../connection/unreadable-frame-error.js'
import { QueueUnavailableError } from '../errors/publish-errors.js'
import { silentLogger } from '../logger.js'
import { type MessageAside, setHeadAside } from './set-head-aside.js'

export interface DeadLetterReaderOptions {
  urls: readonly string[]
  queue: string
  /** For connecting, and for each answer of the broker. */
  deadlineMs: number
}

/** More of them are a reason to look at the queue by hand. Each needs a connection. */
const maxUnreadable = 20
const connectionName = 'mono replaying'
const pollMs = 50

/**
 * Takes messages from the head of a dead-letter queue, over a connection of its own: amqplib leaves the connection over a
 * message that it cannot read, with everything else on it. Such a message is set aside, and the reader comes back to
 * where it was: the broker puts back all that was taken and not acknowledged, in its old order (RabbitMQ 3.10 to 4.3).
 */
export class DeadLetterReader {
  readonly #options: DeadLetterReaderOptions
  readonly #connection: BrokerConnection
  readonly #aside: MessageAside[] = []
  #channel: Channel | undefined
  /** Messages that were taken and not acknowledged. */
  #held = 0
  /** At least so many messages are ready while none is taken, unless somebody else takes them too. */
  #total = 0

  constructor(options: DeadLetterReaderOptions) {
    this.#options = options
    this.#connection = new BrokerConnection({
      endpoints: options.urls.map((url) => toBrokerEndpoint(url, { heartbeatSeconds: 10 })),
      connectionName,
      logger: silentLogger,
      ...connectionLimits,
    })
  }

  /** Messages that amqplib cannot read, and that were passed over. */
  get unreadable(): number {
    return this.#aside.filter(({ isHeld }) => isHeld()).length
  }

  /** Messages that are ready. @throws Error if the queue does not exist; QueueUnavailableError if there is no connection */
  async count(): Promise<number> {
    const channel = await this.#open()
    this.#total = await this.#countReady(channel)
    return this.#total
  }

  /** @throws Error if the connection is lost, or more messages than can be set aside cannot be read */
  async take(count: number): Promise<GetMessage[]> {
    let messages: GetMessage[] = []
    while (messages.length < count) {
      const message = await this.#get()
      if (message === 'unreadable') messages = await this.#passOver(messages.length)
      else if (message) messages.push(message)
      else break
    }
    this.#held += messages.length
    return messages
  }

  ack(message: GetMessage): void {
    this.#channel?.ack(message)
    this.#held -= 1
    this.#total -= 1
  }

  /** Puts back whatever was taken and not acknowledged, and what was set aside. */
  async close(): Promise<void> {
    try {
      // The end of the channel would do the same, but only when the broker has noticed it.
      this.#channel?.nackAll(true)
      if (this.#channel) await this.#answered(this.#channel.close())
    } catch {
      // The connection is lost, and the broker has put back everything.
    }
    await Promise.all([this.#connection.close(), ...this.#aside.map((each) => each.putBack())])
  }

  async #open(): Promise<Channel> {
    const { deadlineMs: ms } = this.#options
    this.#connection.start()
    const createError = () => {
      const why = this.#connection.describeObstacle() ?? 'the connection was lost again'
      return new QueueUnavailableError(`Not connected within ${ms} ms, because ${why}.`, { reason: 'deadline' })
    }
    await this.#connection.whenOpen({ ms, createError })
    const { model } = this.#connection
    if (!model) throw createError()
    this.#channel = await this.#answered(model.createChannel())
    // Rejects what waits for it; the event has nothing to add.
    this.#channel.on('error', () => {})
    return this.#channel
  }

  async #get(): Promise<GetMessage | undefined | 'unreadable'> {
    const channel = this.#channel ?? (await this.#open())
    const { ended } = this.#connection
    try {
      return (await this.#answered(channel.get(this.#options.queue))) || undefined
    } catch (error) {
      if (ended?.aborted && this.#connection.lastError instanceof UnreadableFrameError) return 'unreadable'
      throw error
    }
  }

  /** @returns as many messages as were taken when the next could not be read */
  async #passOver(taken: number): Promise<GetMessage[]> {
    const { deadlineMs: timeoutMs, queue, urls } = this.#options
    if (this.#aside.length >= maxUnreadable) {
      throw new Error(
        `Expected at most ${maxUnreadable} messages in ${queue} that cannot be read, found more: take them out by hand.`,
      )
    }
    await this.#untilPutBack(await this.#open())
    const again: GetMessage[] = []
    for (let n = 0; n < this.#held + taken; n += 1) {
      const message = await this.#get()
      if (message === 'unreadable') {
        // Somebody else has taken some of those that were put back: it stands here now.
        this.#held = Math.min(this.#held, n)
        return await this.#passOver(n - this.#held)
      }
      if (message) again.push(message)
    }
    this.#aside.push(await setHeadAside({ urls, queue, connectionName, timeoutMs }))
    this.#total -= 1
    return again.slice(this.#held)
  }

  /** The broker takes a second to notice the end of a connection; until then other messages would be at the head. */
  async #untilPutBack(channel: Channel): Promise<void> {
    const until = performance.now() + this.#options.deadlineMs
    while ((await this.#countReady(channel)) < this.#total && performance.now() < until) await sleep(pollMs)
  }

  async #countReady(channel: Channel): Promise<number> {
    return (await this.#answered(channel.checkQueue(this.#options.queue))).messageCount
  }

  /** amqplib settles nothing for a message of which it has read the first frame when the connection ends. */
  #answered<T>(answer: Promise<T>): Promise<T> {
    const { deadlineMs: ms, queue } = this.#options
    const createError = () => new Error(`The broker has not answered a question about ${queue} within ${ms} ms.`)
    return settleWithin(answer, { ms, signal: this.#connection.ended, createError })
  }
}
