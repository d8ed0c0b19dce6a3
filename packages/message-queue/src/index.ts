export type { RowOf } from '@mono/contracts'
export {
  InvalidMessageError,
  MessageQueueError,
  normalizeAddress,
  pickAuditEvent,
  pickChatMessage,
  pickEmailMessage,
  pickEmailNotification,
  pickPushNotification,
} from '@mono/contracts'
export type { ConsumeBatchesOptions, ConsumeOptions } from './consuming/consume-options.js'
export type { Consumer, ConsumerState } from './consuming/consumer.js'
export type {
  BatchHandler,
  HandlerContext,
  MessageContext,
  MessageHandler,
  ReceivedMessage,
} from './consuming/reading/received-message.js'
export type { PrefetchMode } from './consuming/receiving/delivery-turns.js'
export type { TrialJournal } from './consuming/scheduling/trial-journal.js'
export type { SettledEvent } from './consuming/settling/settled-event.js'
export type { FailureCode } from './errors/failure-codes.js'
export { failureCodes } from './errors/failure-codes.js'
export type { DeferErrorOptions, GiveWayErrorOptions, HandlerErrorOptions } from './errors/handler-errors.js'
export { DeferError, GiveWayError, PermanentError, RetryableError } from './errors/handler-errors.js'
export { MigrationPendingError } from './errors/migration-pending-error.js'
export type { UnavailableReason } from './errors/publish-errors.js'
export {
  PublishForbiddenError,
  PublishTimeoutError,
  QueueFullError,
  QueueUnavailableError,
  UnroutableMessageError,
} from './errors/publish-errors.js'
export { TopologyMismatchError } from './errors/topology-mismatch-error.js'
export type { Logger } from './logger.js'
export type { MessageQueue, MessageQueueHealth, MigrateQueueOptions } from './message-queue.js'
export { createMessageQueue } from './message-queue.js'
export type { MessageQueueOptions } from './message-queue-options.js'
export type { PublishOptions, SentMessage } from './publishing/publish-options.js'
export type { QueueStats } from './publishing/queue-stats.js'
export { messageQueue } from './ready-made-message-queue.js'
export type { DeadLetter, DeadLetterCode } from './replaying/dead-letter.js'
export type { ReplayOptions, ReplayResult } from './replaying/replay-dead-letters.js'
