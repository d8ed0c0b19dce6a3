import { createBackoff } from './backoff.js'
import type { SubscriptionConfig } from './broker-config.js'
import type { WorkQueue } from './work-queues.js'

/** The one subscription of a worker, named as its queue. `prefetch`: unacknowledged deliveries held at once. */
export function createSubscription(queue: WorkQueue, prefetch: number): Record<string, SubscriptionConfig> {
  return {
    [queue.name]: {
      queue: queue.name,
      // Keeps rascal from parsing JSON bodies, so that we can say what is wrong with one.
      contentType: 'application/octet-stream',
      // Per consumer. The global kind, `channelPrefetch`, is refused by RabbitMQ 4.3.
      prefetch,
      retry: createBackoff(),
      // Always answers 0: rascal's other counters forget at each restart. The queue's delivery limit ends crash loops.
      redeliveries: { counter: 'stub' },
    },
  }
}
