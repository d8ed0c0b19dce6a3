import {
  type AuditEvent,
  type ChatMessage,
  type EmailMessage,
  type EmailNotification,
  findIdFault,
  InvalidMessageError,
  type MessageType,
  type PayloadByType,
  type PushNotification,
  type RoutingKeyOf,
  realtimeRoutingKey,
  routingKeysByType,
  type StoredChatMessage,
  serializePayload,
  serializeStoredChatMessage,
} from '@mono/contracts'
import { exchangeOfType, realtimeExchange, type WorkQueueName } from '@mono/rascal-config'
import {
  type ConsumeBatchesOptions,
  type ConsumeOptions,
  resolveConsumeBatchesOptions,
  resolveConsumeOptions,
} from './consuming/consume-options.js'
import type { Consumer } from './consuming/consumer.js'
import { type ConsumerHealth, Consumers } from './consuming/consumers.js'
import type { IntakeOptions } from './consuming/handling/intake.js'
import type { BatchHandler, MessageHandler } from './consuming/reading/received-message.js'
import { QueueUnavailableError } from './errors/publish-errors.js'
import type { Logger } from './logger.js'
import {
  type MessageQueueOptions,
  type ResolvedMessageQueueOptions,
  resolveMessageQueueOptions,
} from './message-queue-options.js'
import { createMessageId } from './publishing/create-message-id.js'
import { createMessageProperties } from './publishing/create-message-properties.js'
import type { PublishOptions, SentMessage } from './publishing/publish-options.js'
import { createPublisher, type Publisher } from './publishing/publisher.js'
import { getQueueStats, type QueueStats } from './publishing/queue-stats.js'
import { everyDeviceBytes, warnOfLargePush } from './publishing/warn-of-large-push.js'
import { type ReplayOptions, type ReplayResult, replayDeadLetters } from './replaying/replay-dead-letters.js'

export interface MessageQueueHealth {
  /** Of the publishing connection, which is opened by the first send or by `connect()`. */
  connection: Publisher['state']
  /** The broker has stopped accepting messages (RabbitMQ docs: memory and disk alarms). */
  blocked: boolean
  consumers: ConsumerHealth[]
  /** On the wire, not yet confirmed. */
  inFlight: number
  /** Waiting to be sent. */
  buffered: number
  /** Why a consumer does not consume at present; else what ended the publishing connection last, kept when it is back. */
  lastError?: string
}

/** The queues that keep their order. */
type OrderedQueueName = 'chat.messages'

export interface MigrateQueueOptions extends Omit<ConsumeBatchesOptions, 'onSettled'> {
  /**
   * How long, in milliseconds, a consumer that has been told to stop may go on with what it has: as long the old queue is
   * kept at least. Default 30 seconds.
   */
  graceMs?: number
}

interface BatchesToOpen {
  queue: WorkQueueName
  handler: BatchHandler
  options: ConsumeBatchesOptions
  /** Another queue that holds its messages. */
  source?: string
}

/**
 * The client. A send resolves only when the broker has taken the message into a queue; otherwise it rejects, by its
 * deadline at the latest, with one of
 *
 * - `InvalidMessageError`: the payload does not fit; nothing was sent
 * - `QueueUnavailableError`: no connection within the deadline, the buffer is full, or the client is closed; not sent
 * - `QueueFullError`: the broker refused it; it is in no queue
 * - `UnroutableMessageError`: no queue is bound for it, or the exchange does not exist; it is in no queue
 * - `PublishTimeoutError`: unknown; it may have arrived, and can be sent again with the same `messageId`
 */
export class MessageQueue {
  readonly #resolveOptions: () => ResolvedMessageQueueOptions
  readonly #consumers = new Consumers()
  #made: { options: ResolvedMessageQueueOptions; publisher: Publisher } | undefined
  #closed = false

  /** The options are asked for at the first use. */
  constructor(resolveOptions: () => ResolvedMessageQueueOptions) {
    this.#resolveOptions = resolveOptions
  }

  /**
   * The publishing connection, if it was opened, and those that each consumer needs are open, and the broker has blocked
   * none. False before anything was opened and after the end: call `connect()` when the application starts, and it tells of the broker from then on.
   */
  get connected(): boolean {
    const publisher = this.#made?.publisher
    const opened = [...(publisher && publisher.state !== 'idle' ? [publisher] : []), ...this.#consumers.running]
    return opened.length > 0 && opened.every(({ connected }) => connected)
  }

  /**
   * Opens the publishing connection now rather than by the first send: for the start of an application, so that
   * `connected` is true before anything is sent.
   *
   * @throws QueueUnavailableError
   */
  async connect(options: Pick<PublishOptions, 'deadlineMs' | 'signal'> = {}): Promise<void> {
    await this.#publisher.connect({ deadlineMs: this.#options.deadlineMs, ...options })
  }

  /** The message's own `messageId` is its identity. Default kind `direct`. */
  sendChatMessage(
    payload: ChatMessage,
    { kind = 'direct', ...options }: Omit<PublishOptions, 'messageId'> & { kind?: 'direct' | 'group' } = {},
  ): Promise<SentMessage> {
    return this.#send('chat.message', `chat.${kind}`, payload, options)
  }

  /** Default channel `all`. */
  sendPushNotification(
    payload: PushNotification,
    { channel = 'all', ...options }: PublishOptions & { channel?: 'all' | 'web' | 'mobile' } = {},
  ): Promise<SentMessage> {
    return this.#send('push.notification', `push.${channel}`, payload, options)
  }

  /** A mail made from a template. */
  sendEmailNotification(payload: EmailNotification, options: PublishOptions = {}): Promise<SentMessage> {
    return this.#send('email.notification', 'email.template', payload, options)
  }

  /** A mail sent as given. */
  sendEmailMessage(payload: EmailMessage, options: PublishOptions = {}): Promise<SentMessage> {
    return this.#send('email.message', 'email.send', payload, options)
  }

  /** `compliance` marks an event that must be kept and proven. Default false. */
  sendAuditEvent(
    payload: AuditEvent,
    { compliance = false, ...options }: PublishOptions & { compliance?: boolean } = {},
  ): Promise<SentMessage> {
    return this.#send('audit.event', compliance ? 'audit.compliance' : 'audit.track', payload, options)
  }

  /**
   * Tells whoever subscribes to the conversation on the `realtime` exchange. Resolves when the broker has it, also when
   * nobody listens.
   */
  async broadcastChatMessage(message: StoredChatMessage, options: PublishOptions = {}): Promise<void> {
    const { messageId, tenantId, conversationId } = message
    await this.#publisher.publish({
      exchange: realtimeExchange,
      routingKey: realtimeRoutingKey(tenantId, conversationId),
      body: Buffer.from(serializeStoredChatMessage(message)),
      properties: createMessageProperties(
        { messageId, type: 'chat.message', tenantId, appId: this.#options.connectionName },
        options,
      ),
      mandatory: false,
      persistent: false,
      deadlineMs: options.deadlineMs ?? this.#options.deadlineMs,
      signal: options.signal,
    })
  }

  /**
   * Hands each message of the queue to the handler. Resolves when the broker has registered the consumer, however long
   * the broker is away; `health()` tells meanwhile.
   *
   * @throws TopologyMismatchError if a queue exists with other arguments
   */
  consumeMessages<Q extends WorkQueueName>(
    queue: Q,
    handler: MessageHandler<Q>,
    options: ConsumeOptions = {},
  ): Promise<Consumer> {
    const resolved = resolveConsumeOptions(options)
    const loadIntake = async (logger: Logger) => {
      const { MessageIntake } = await import('./consuming/handling/message-intake.js')
      return (intake: IntakeOptions) => new MessageIntake(handler as MessageHandler, logger, intake)
    }
    return this.#consumers.open({ ...resolved, queue, loadIntake }, () => this.#options)
  }

  /**
   * Like `consumeMessages`, in batches. Each delivery is settled by itself.
   *
   * @throws TopologyMismatchError if a queue exists with other arguments
   */
  consumeBatches<Q extends WorkQueueName>(
    queue: Q,
    handler: BatchHandler<Q>,
    options: ConsumeBatchesOptions = {},
  ): Promise<Consumer> {
    return this.#openBatches({ queue, handler: handler as BatchHandler, options })
  }

  #openBatches({ queue, handler, options, ...source }: BatchesToOpen): Promise<Consumer> {
    const resolved = resolveConsumeBatchesOptions(options)
    const loadIntake = async (logger: Logger) => {
      const { BatchIntake } = await import('./consuming/handling/batch-intake.js')
      return (intake: IntakeOptions) => new BatchIntake(handler, logger, resolved, intake)
    }
    return this.#consumers.open({ ...resolved, ...source, queue, loadIntake }, () => this.#options)
  }

  /**
   * Makes a work queue that keeps its order anew when it exists with other arguments, while it is published to. Consumes
   * all that it held, and what comes meanwhile, so that afterwards it holds the newest only. Its own consumers have to be
   * stopped, and may begin when this resolves. After an interruption it is called again.
   *
   * @throws Error if somebody consumes the queue, or the broker is away between two steps
   */
  async migrateQueue<Q extends OrderedQueueName>(
    queue: Q,
    handler: BatchHandler<Q>,
    { graceMs = 30_000, ...options }: MigrateQueueOptions = {},
  ): Promise<void> {
    const { connectionName, logger, topologyMode, urls } = this.#options
    const { migrateQueue } = await import('./migrating/migrate-queue.js')
    await migrateQueue({
      queue,
      publisher: this.#publisher,
      logger,
      urls,
      connectionName: `${connectionName} migrating`,
      topologyMode,
      graceMs,
      consume: (source, onSettled) =>
        this.#openBatches({ queue, handler: handler as BatchHandler, options: { ...options, onSettled }, source }),
    })
  }

  /** The work queues as the broker has them now. A queue that does not exist is left out. @throws QueueUnavailableError */
  getQueueStats(): Promise<Partial<Record<WorkQueueName, QueueStats>>> {
    return getQueueStats(this.#publisher)
  }

  /**
   * Publishes the dead letters of a work queue again, oldest first, and takes from its dead-letter queue what the broker
   * has confirmed. What was done already is not done twice. A replay begins a new life: its attempts and its age count
   * from now, and a recipient recorded as failed or unknown is tried again.
   *
   * Messages that are not selected stay unacknowledged until the replay ends, then return to the queue. A message that
   * amqplib cannot read is passed over and counted as `unreadable`.
   *
   * @throws QueueUnavailableError if there is no connection within the deadline
   * @throws Error if the dead-letter queue does not exist, the connection is lost, or more than 20 messages cannot be
   * read; what was not replayed is still there
   */
  replayDeadLetters(queue: WorkQueueName, options: ReplayOptions = {}): Promise<ReplayResult> {
    const { deadlineMs, urls } = this.#options
    return replayDeadLetters(this.#publisher, queue, { ...options, deadlineMs, urls })
  }

  health(): MessageQueueHealth {
    const { state, blocked, inFlight, buffered, lastError: publishers } = this.#made?.publisher ?? unused
    const consumers = this.#consumers.health
    const hindered = consumers.find(({ state, lastError }) => state !== 'failed' && lastError !== undefined)
    const lastError = hindered?.lastError ?? publishers?.message
    return {
      connection: state,
      blocked,
      consumers,
      inFlight,
      buffered,
      ...(lastError !== undefined && { lastError }),
    }
  }

  /** Finishes what is held, takes no more, disconnects: consumers first, because their handlers may still send. */
  async drain(): Promise<void> {
    await this.#consumers.drain()
    this.#closed = true
    await this.#made?.publisher.drain()
  }

  /** Disconnects now. Deliveries that are not settled go back to their queue; sends that are not confirmed reject. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#consumers.close(), this.#made?.publisher.close()])
  }

  async #send<T extends MessageType>(
    type: T,
    routingKey: RoutingKeyOf<T>,
    payload: PayloadByType[T],
    options: PublishOptions,
  ): Promise<SentMessage> {
    const body = Buffer.from(serializePayload(type, payload))
    assertRoutingKey(type, routingKey)
    const messageId = messageIdOf(type, payload, options)
    // The body holds the part that counts, so most need no counting.
    if (type === 'push.notification' && body.length > everyDeviceBytes) {
      warnOfLargePush(payload as PushNotification, { messageId, logger: this.#options.logger })
    }
    await this.#publisher.publish({
      exchange: exchangeOfType(type),
      routingKey,
      body,
      properties: createMessageProperties(
        { messageId, type, tenantId: payload.tenantId, appId: this.#options.connectionName },
        options,
      ),
      mandatory: true,
      persistent: true,
      deadlineMs: options.deadlineMs ?? this.#options.deadlineMs,
      signal: options.signal,
    })
    return { messageId }
  }

  get #options(): ResolvedMessageQueueOptions {
    return this.#make().options
  }

  get #publisher(): Publisher {
    return this.#make().publisher
  }

  #make() {
    if (this.#made === undefined) {
      if (this.#closed)
        throw new QueueUnavailableError('The client is closed and connects no more.', { reason: 'closed' })
      const options = this.#resolveOptions()
      this.#made = { options, publisher: createPublisher(options) }
    }
    return this.#made
  }
}

const unused = { state: 'idle', blocked: false, inFlight: 0, buffered: 0, lastError: undefined } as const

/** @throws RangeError if an option is out of its range */
export function createMessageQueue(options: MessageQueueOptions): MessageQueue {
  const resolved = resolveMessageQueueOptions(options)
  return new MessageQueue(() => resolved)
}

/** A caller without types may ask for a kind or a channel that does not exist. */
function assertRoutingKey(type: MessageType, routingKey: string): void {
  const routingKeys: readonly string[] = routingKeysByType[type]
  if (routingKeys.includes(routingKey)) return
  throw new RangeError(`No work queue takes the routing key '${routingKey}'; use one of ${routingKeys.join(', ')}.`)
}

/** A chat message brings its identity along, and its schema has judged it. */
function messageIdOf(type: MessageType, payload: object, options: PublishOptions): string {
  if (type === 'chat.message') return (payload as ChatMessage).messageId
  const messageId = options.messageId ?? createMessageId()
  const reason = findIdFault(messageId)
  if (reason !== undefined) throw new InvalidMessageError(type, [{ path: 'messageId', reason }])
  return messageId
}
