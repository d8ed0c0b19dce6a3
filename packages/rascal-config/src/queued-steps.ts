import { hasRetryQueues } from './has-retry-queues.js'
import type { RetryStep } from './retry.js'
import type { WorkQueue } from './work-queues.js'

/** The steps for which messages of a work queue wait in a queue of their own, by ascending delay. */
export function queuedSteps(queue: Pick<WorkQueue, 'order' | 'retrySteps' | 'giveWayStep'>): readonly RetryStep[] {
  if (!hasRetryQueues(queue)) return []
  return queue.giveWayStep === undefined ? queue.retrySteps : [queue.giveWayStep, ...queue.retrySteps]
}
