import type { MessageType, PayloadByType } from '@mono/contracts'
import type { WorkQueueName } from '@mono/rascal-config'
import type { Logger } from '../../logger.js'

interface TypesByQueue {
  'chat.messages': 'chat.message'
  'push.notifications': 'push.notification'
  'email.notifications': 'email.notification' | 'email.message'
  'audit.events': 'audit.event'
}

interface ReceivedMessageOfType<T extends MessageType> {
  payload: PayloadByType[T]
  /**
   * The JSON text that the payload was read from. It keeps what JavaScript's values do not, such as the digits of a number
   * beyond 2^53. Decoded anew each time that it is read.
   */
  readonly bodyText: string
  type: T
  /** Unique within the tenant; the same at every redelivery and retry. */
  messageId: string
  /**
   * Only of a message that came without an id: `messageId` is made of its content, so an equal message has the same.
   * `first` if nothing says that this message was delivered before: no redelivery, no return from a retry or a deferral,
   * no replay.
   */
  derivedId?: 'first' | 'again'
  tenantId: number
  /** As published, also when the message comes back from a retry. */
  routingKey: string
  /**
   * `x-published-at`, else when it was first seen here; never later than that. Of a replay, when it was replayed.
   */
  publishedAt: Date
  /** Only of a dead letter that was published again. The same at every redelivery, retry and deferral. */
  replayedAt?: Date
  /** When a part of the work was done last, if the message came back for the rest. Its age counts from here. */
  progressAt?: Date
  /** Where its handler is to go on, as it has said when it gave way to others (see `GiveWayError`). */
  resumeAt?: string
  /** 1 for the first time that the work is tried. */
  attempt: number
  /** The broker has handed this delivery to a consumer before. */
  redelivered: boolean
  headers: Readonly<Record<string, unknown>>
}

/** A valid message of the queue; tell the types of a queue that carries two by `type`. */
export type ReceivedMessage<Q extends WorkQueueName = WorkQueueName> = {
  [T in TypesByQueue[Q]]: ReceivedMessageOfType<T>
}[TypesByQueue[Q]]

export interface HandlerContext {
  /** Aborted when the handler's time is up, and when the consumer is closed rather than drained. */
  signal: AbortSignal
  /** Carries the queue, and the message's ids where the handler has one message. */
  logger: Logger
}

/** For a handler that has one message at a time. */
export interface MessageContext extends HandlerContext {
  /** The consumer has as many deliveries as it takes at a time: others may wait in the queue. */
  othersMayWait(): boolean
}

/** Returning acknowledges; throwing retries, defers or dead-letters, see `RetryableError`, `DeferError`, `GiveWayError`, `PermanentError`. */
export type MessageHandler<Q extends WorkQueueName = WorkQueueName> = (
  message: ReceivedMessage<Q>,
  context: MessageContext,
) => Promise<void>

/**
 * Returning acknowledges every message but those in the returned map, which fail by their error.
 * Throwing fails the whole batch.
 */
export type BatchHandler<Q extends WorkQueueName = WorkQueueName> = (
  messages: readonly ReceivedMessage<Q>[],
  context: HandlerContext,
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that fails nothing returns nothing
) => Promise<void | ReadonlyMap<ReceivedMessage<Q>, unknown>>
