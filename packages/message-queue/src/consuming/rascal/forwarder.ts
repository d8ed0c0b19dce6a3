import { createForwardConfig, type WorkQueueName } from '@mono/rascal-config'
import { backoffMs, sleep, toError, untilAborted } from '@mono/waiting'
import type { ConsumeMessage } from 'amqplib'
import { toFirstEndpoint } from '../../connection/broker-endpoint.js'
import { explainRefusal } from '../../connection/explain-refusal.js'
import { OutageLog } from '../../connection/outage-log.js'
import { reconnectBackoff } from '../../connection/reconnect-backoff.js'
import type { Logger } from '../../logger.js'
import { RascalBroker } from './rascal-broker.js'

export interface ForwarderOptions {
  urls: readonly string[]
  connectionName: string
  queue: WorkQueueName
  /** As many copies as messages can be in flight may be due at once. */
  prefetch: number
  logger: Logger
}

const openTimeoutMs = 10_000
const maxChannels = 20

/**
 * Sends the copies of messages that are retried, deferred or dead-lettered through rascal's publications, over a
 * connection that is made when the first is due. If it is lost, another is made and the copy is sent again: whether it
 * had arrived is unknown, and two copies are better than none.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #outage: OutageLog
  readonly #closing = new AbortController()
  /** Copies whose connection was lost, or could not be made. */
  readonly #stranded = new Set<ConsumeMessage>()
  #opening: Promise<RascalBroker> | undefined
  #opened: RascalBroker | undefined
  #lastError: Error | undefined

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#outage = new OutageLog(options.logger, {
      begun: 'Nothing can be retried, deferred or dead-lettered; it will be sent when the broker admits it',
      over: 'Messages can be retried, deferred and dead-lettered again',
    })
  }

  /**
   * No copy waits for a connection to come back, and the broker has not blocked it. A connection that was lost while none
   * was under way is not missed: the next copy makes another.
   */
  get connected(): boolean {
    return this.#stranded.size === 0 && !this.#opened?.blocked
  }

  /** Why copies wait; undefined if none does. */
  get presentError(): Error | undefined {
    return this.#stranded.size > 0 ? this.#lastError : undefined
  }

  /**
   * Resolves when the copy is in its queue.
   *
   * @param lost aborted when the original is lost: the broker delivers that again, and nobody waits for the copy
   * @throws Error if the broker refuses the copy; the reason of `lost`
   */
  async forward(publication: string, copy: ConsumeMessage, lost: AbortSignal): Promise<void> {
    try {
      for (let failures = 1; ; failures += 1) {
        lost.throwIfAborted()
        this.#closing.signal.throwIfAborted()
        if (await this.#tryForward(publication, copy, lost)) return
        this.#stranded.add(copy)
        await sleep(backoffMs(failures, reconnectBackoff), lost)
      }
    } finally {
      this.#stranded.delete(copy)
    }
  }

  /** @returns whether there was a connection, and it lasted */
  async #tryForward(publication: string, copy: ConsumeMessage, lost: AbortSignal): Promise<boolean> {
    const broker = await untilAborted(this.#connect(), lost).catch(() => undefined)
    lost.throwIfAborted()
    if (!broker) return false
    this.#stranded.delete(copy)
    try {
      await untilAborted(broker.forward(publication, copy), lost)
      return true
    } catch (error) {
      if (lost.aborted || !broker.lost.aborted) throw error
      return false
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The consumer was closed.'))
    const broker = await this.#opening?.catch(() => undefined)
    await broker?.close()
  }

  /** One connection for all, until it is lost. */
  #connect(): Promise<RascalBroker> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<RascalBroker> {
    const { logger: _logger, prefetch, ...options } = this.#options
    const forget = () => {
      this.#opening = undefined
      this.#opened = undefined
    }
    try {
      const broker = await RascalBroker.open({
        createConfig: (signal) =>
          createForwardConfig({ ...options, maxChannels: Math.min(prefetch, maxChannels), signal }),
        timeoutMs: openTimeoutMs,
        signal: this.#closing.signal,
      })
      this.#opened = broker
      broker.lost.addEventListener('abort', forget, { once: true })
      if (broker.lost.aborted) forget()
      this.#outage.over()
      this.#lastError = undefined
      return broker
    } catch (error) {
      forget()
      const { signal } = this.#closing
      const explained = await explainRefusal(toError(error), toFirstEndpoint(options.urls), signal)
      this.#lastError = explained
      if (!signal.aborted) this.#outage.failed(explained)
      throw explained
    }
  }
}
