export { enqueue } from './enqueue.js'
export { type Failure, readOutboxState } from './message-store.js'
export type { OutboxMessage } from './outbox-message.js'
export { startOutboxRelay } from './relay.js'
