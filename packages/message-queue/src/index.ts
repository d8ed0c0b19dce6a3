export { InvalidMessageError } from '@mono/contracts'
export type { IntakeMode } from './consuming/caution.js'
export type { ConsumeBatchesOptions, ConsumeOptions } from './consuming/consume-options.js'
export type { Consumer, ConsumerState } from './consuming/consumer.js'
export type { FailureCode } from './consuming/failure-codes.js'
export { failureCodes } from './consuming/failure-codes.js'
export type { DeferErrorOptions, HandlerErrorOptions } from './consuming/handler-errors.js'
export { DeferError, PermanentError, RetryableError } from './consuming/handler-errors.js'
export type { BatchHandler, HandlerContext, MessageHandler, ReceivedMessage } from './consuming/received-message.js'
export type { SettledEvent } from './consuming/settled-event.js'
export { TopologyMismatchError } from './consuming/topology-mismatch-error.js'
export type { Logger } from './logger.js'
export type { MessageQueue, MessageQueueHealth } from './message-queue.js'
export { createMessageQueue } from './message-queue.js'
export type { MessageQueueOptions } from './message-queue-options.js'
export type { UnavailableReason } from './publishing/publish-errors.js'
export {
  PublishTimeoutError,
  QueueFullError,
  QueueUnavailableError,
  UnroutableMessageError,
} from './publishing/publish-errors.js'
export type { PublishOptions, SentMessage } from './publishing/publish-options.js'
export type { QueueStats } from './publishing/queue-stats.js'
export { messageQueue } from './ready-made-message-queue.js'
export type { DeadLetter, DeadLetterCode } from './replaying/dead-letter.js'
export type { ReplayOptions, ReplayResult } from './replaying/replay-dead-letters.js'
