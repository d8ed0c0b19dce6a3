import { hasRetryQueues } from './has-retry-queues.js'
import { retryQueueName, type WorkQueueName } from './names.js'
import { workQueues } from './work-queues.js'

/** The retry queues of a work queue, by ascending delay; none if it keeps its order. */
export function retryQueueNames(queue: WorkQueueName): string[] {
  const { retrySteps, ...policy } = workQueues[queue]
  return hasRetryQueues(policy) ? retrySteps.map(({ name }) => retryQueueName(queue, name)) : []
}
