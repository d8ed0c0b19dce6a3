import type { WorkQueueName } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import type { ConsumerChannel } from './consumer-channel.js'

/** The part of a consumer's channel that its deliveries use. */
export type DeliveryChannel = Pick<ConsumerChannel, 'ack' | 'reject' | 'closed' | 'maxFrameBytes'>

/** A message that the broker has handed to this process, and that is settled exactly once. */
export class Delivery {
  readonly queue: WorkQueueName
  readonly message: ConsumeMessage
  readonly headers: Readonly<Record<string, unknown>>
  readonly firstSeen = new Date()
  /** How often it was in flight when its consumer ended, as far as the broker counts that; 0 for the first delivery. */
  readonly deliveryCount: number
  /** The broker sent it by itself, and no other before it is settled. */
  readonly alone: boolean
  readonly #channel: DeliveryChannel
  #isClaimed = false

  constructor(queue: WorkQueueName, message: ConsumeMessage, { channel, alone }: DeliveryOptions) {
    this.queue = queue
    this.message = message
    this.headers = message.properties.headers ?? {}
    this.deliveryCount = toDeliveryCount(message, this.headers)
    this.alone = alone
    this.#channel = channel
  }

  /** Aborted when its channel is closed: it cannot be settled then, and the broker delivers it again. */
  get lost(): AbortSignal {
    return this.#channel.closed
  }

  /** How large a frame may be that is sent to the broker that it came from. */
  get maxFrameBytes(): number {
    return this.#channel.maxFrameBytes
  }

  /** @returns true for the first caller, who settles it; false for all others, who must not */
  claim(): boolean {
    if (this.#isClaimed) return false
    this.#isClaimed = true
    return true
  }

  /** @throws Error if it is lost */
  ack(): void {
    this.#channel.ack(this.message)
  }

  /** Gives it back to the queue for any consumer. @throws Error if it is lost */
  return(): void {
    this.#channel.reject(this.message, { requeue: true })
  }

  /** Leaves it to the broker to dead-letter it, without a reason of ours. @throws Error if it is lost */
  reject(): void {
    this.#channel.reject(this.message, { requeue: false })
  }
}

export interface DeliveryOptions {
  channel: DeliveryChannel
  alone: boolean
}

/** On a first delivery the header is the publisher's. */
function toDeliveryCount({ fields }: ConsumeMessage, headers: Readonly<Record<string, unknown>>): number {
  const count = headers['x-delivery-count']
  return fields.redelivered && typeof count === 'number' ? count : 0
}
