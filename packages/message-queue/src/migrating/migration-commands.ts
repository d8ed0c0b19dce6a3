import type { WorkQueueName } from '@mono/rascal-config'

/** Arguments of a queue that a command of this project changes, messages and all. */
export const migrationCommands: Partial<Record<WorkQueueName, { argument: string; command: string }>> = {
  'chat.messages': { argument: 'x-single-active-consumer', command: 'npm run migrate:chat-queue' },
}
