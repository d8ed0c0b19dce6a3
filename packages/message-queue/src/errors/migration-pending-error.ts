import { MessageQueueError } from '@mono/contracts'

/** A queue is being made anew: what comes before its messages is still in another one. */
export class MigrationPendingError extends MessageQueueError {
  override readonly name = 'MigrationPendingError'
  readonly code = 'MIGRATION_PENDING'
  readonly queue: string

  constructor({ queue, standIn, command }: { queue: string; standIn: string; command: string }) {
    super(`${standIn} exists: the migration of ${queue} has not come to its end. Run \`${command}\`.`)
    this.queue = queue
  }
}
