import type { WorkQueue } from './work-queues.js'

/** Whether a retry of this queue goes through a queue of its own, rather than being waited for by the consumer. */
export function hasRetryQueues({ order }: Pick<WorkQueue, 'order'>): boolean {
  return order === 'none'
}
