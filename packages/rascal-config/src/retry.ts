import type { WorkQueueName } from './names.js'

/** One delay of a retry plan. Each has a queue of its own (see `retryQueue`), unless the order of the queue is strict. */
export interface RetryStep {
  /** How the delay is written in names and routing keys, such as `10s`. */
  readonly name: string
  readonly delayMs: number
}

export interface RetryPlan {
  /** Times a message is tried in all; when the last one fails it is dead-lettered. */
  readonly maxAttempts: number
  /** Ascending delays: the first failure waits for the first step, and so on. At least `maxAttempts - 1` of them. */
  readonly retrySteps: readonly RetryStep[]
  /**
   * How long a message that was served in part waits before it comes back at the end of the queue, to let others go first.
   * Shorter than every retry step. Absent: messages of this queue are served as a whole.
   */
  readonly giveWayStep?: RetryStep
}

const maxAttempts = 3

const giveWayStep: RetryStep = { name: '1s', delayMs: 1_000 }

/** Mail servers that greylist want minutes; a chat message that comes a minute late is of little use. */
export const retryPlans: Readonly<Record<WorkQueueName, RetryPlan>> = {
  'chat.messages': {
    maxAttempts,
    retrySteps: [
      { name: '1s', delayMs: 1_000 },
      { name: '5s', delayMs: 5_000 },
    ],
  },
  'push.notifications': {
    maxAttempts,
    retrySteps: [
      { name: '10s', delayMs: 10_000 },
      { name: '60s', delayMs: 60_000 },
    ],
    giveWayStep,
  },
  'email.notifications': {
    maxAttempts,
    retrySteps: [
      { name: '60s', delayMs: 60_000 },
      { name: '15m', delayMs: 900_000 },
    ],
    giveWayStep,
  },
  'audit.events': {
    maxAttempts,
    retrySteps: [
      { name: '10s', delayMs: 10_000 },
      { name: '60s', delayMs: 60_000 },
    ],
  },
}
