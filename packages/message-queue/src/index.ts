export { InvalidMessageError } from '@mono/contracts'
export type { ConsumeBatchesOptions, ConsumeOptions } from './consume-options.js'
export type { Consumer, ConsumerState } from './consumer.js'
export type { FailureCode } from './failure-codes.js'
export { failureCodes } from './failure-codes.js'
export type { DeferErrorOptions, HandlerErrorOptions } from './handler-errors.js'
export { DeferError, PermanentError, RetryableError } from './handler-errors.js'
export type { Logger } from './logger.js'
export type { MessageQueue, MessageQueueHealth } from './message-queue.js'
export { createMessageQueue } from './message-queue.js'
export type { MessageQueueOptions } from './message-queue-options.js'
export type { UnavailableReason } from './publish-errors.js'
export {
  PublishTimeoutError,
  QueueFullError,
  QueueUnavailableError,
  UnroutableMessageError,
} from './publish-errors.js'
export type { PublishOptions, SentMessage } from './publish-options.js'
export type { QueueStats } from './queue-stats.js'
export { messageQueue } from './ready-made-message-queue.js'
export type { BatchHandler, HandlerContext, MessageHandler, ReceivedMessage } from './received-message.js'
export type { SettledEvent } from './settled-event.js'
export { TopologyMismatchError } from './topology-mismatch-error.js'
