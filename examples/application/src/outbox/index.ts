export { enqueue } from './enqueue.js'
export { type Failure, type OutboxState, readOutboxState } from './message-store.js'
export type { OutboxMessage } from './outbox-message.js'
export { type OutboxRelay, startOutboxRelay } from './relay.js'
