import { deadLetterPublicationName, retryPublicationName, type WorkQueueName } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import type { AckOrNack, Recovery } from 'rascal'
import type { Settlement } from './decide-settlement.js'
import { failureHeaders } from './failure-headers.js'
import { headersOf, isSentAlone } from './rascal-tap.js'

/**
 * A message in this process's hands. It is settled exactly once; later calls do nothing. Retry, defer and dead-letter
 * are a confirmed copy first and an ack of the original after it, so that a crash between the two leaves two, never none.
 */
export class Delivery {
  readonly queue: WorkQueueName
  readonly message: ConsumeMessage
  readonly headers: Readonly<Record<string, unknown>>
  readonly firstSeen = new Date()
  /** How often it was in hand when its consumer ended, as far as the broker counts that; 0 for the first delivery. */
  readonly deliveryCount: number
  /** The broker sent it by itself, and no other before it is settled. */
  readonly alone: boolean
  readonly #ackOrNack: AckOrNack
  #settled = false

  constructor(queue: WorkQueueName, message: ConsumeMessage, ackOrNack: AckOrNack) {
    this.queue = queue
    this.message = message
    this.headers = headersOf(message)
    this.deliveryCount = toDeliveryCount(message, this.headers)
    this.alone = isSentAlone(message)
    this.#ackOrNack = ackOrNack
  }

  /**
   * @returns false if it was settled before
   * @throws Error when the channel is gone (the broker delivers the message again) or the copy was not confirmed
   * (rascal rejects the message, and the broker moves it to the dead-letter queue)
   */
  settle(settlement: Settlement, from: { workerName: string; publishedAt: Date }): Promise<boolean> {
    if (this.#settled) return Promise.resolve(false)
    this.#settled = true
    if (settlement.kind === 'ack') return this.#ack()
    if (settlement.kind === 'return') return this.#recover(new Error('returned'), { strategy: 'nack', requeue: true })
    return this.#forward(settlement, from)
  }

  /**
   * There is no channel to settle it on any more.
   * @returns false if it was settled before
   */
  forget(): boolean {
    const wasOpen = !this.#settled
    this.#settled = true
    return wasOpen
  }

  #ack(): Promise<true> {
    return new Promise((resolve, reject) => this.#ackOrNack((error) => (error ? reject(error) : resolve(true))))
  }

  #recover(reason: Error, recovery: Recovery): Promise<true> {
    return new Promise((resolve, reject) =>
      this.#ackOrNack(reason, recovery, (error) => (error ? reject(error) : resolve(true))),
    )
  }

  async #forward(
    settlement: Exclude<Settlement, { kind: 'ack' | 'return' }>,
    from: { workerName: string; publishedAt: Date },
  ): Promise<true> {
    this.#prepareCopy(
      failureHeaders(
        { queue: this.queue, message: this.message, headers: this.headers, ...from },
        settlement,
        new Date(),
      ),
    )
    const publication =
      settlement.kind === 'dead-letter'
        ? deadLetterPublicationName(this.queue)
        : retryPublicationName(this.queue, settlement.step.name)
    // Rascal copies message and code of the error into a header of its own, whatever they are; ours tell them already.
    return await this.#recover(new Error(settlement.code), {
      strategy: 'forward',
      publication,
      xDeathFix: true,
      restoreRoutingHeaders: false,
    })
  }

  /** Rascal copies the properties of the message as they are, and needs its own entry among the headers. */
  #prepareCopy(headers: Record<string, unknown>): void {
    const { properties } = this.message
    const { rascal } = properties.headers as Record<string, unknown>
    const unsendable = Object.entries(properties).filter(([, value]) => !isSendable(value))
    Object.assign(properties, Object.fromEntries(unsendable.map(([name]) => [name, undefined])))
    properties.headers = { ...headers, rascal }
    properties.expiration = undefined
    // The broker refuses a user id other than that of the connection (RabbitMQ: validated user-id).
    properties.userId = undefined
  }
}

/** On a first delivery the header is the publisher's. */
function toDeliveryCount({ fields }: ConsumeMessage, headers: Readonly<Record<string, unknown>>): number {
  const count = headers['x-delivery-count']
  return fields.redelivered && typeof count === 'number' ? count : 0
}

/** Not all that amqplib decodes can it encode again: bytes that are not UTF-8 grow, and a number is rounded up. */
function isSendable(property: unknown): boolean {
  if (typeof property === 'string') return Buffer.byteLength(property) < 2 ** 8
  return typeof property !== 'number' || property < 2 ** 64
}
