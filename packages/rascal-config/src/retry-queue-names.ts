import { retryQueueName, type WorkQueueName } from './names.js'
import { queuedSteps } from './queued-steps.js'
import { workQueues } from './work-queues.js'

/** The retry queues of a work queue, by ascending delay; none if it keeps its order. */
export function retryQueueNames(queue: WorkQueueName): string[] {
  return queuedSteps(workQueues[queue]).map(({ name }) => retryQueueName(queue, name))
}
