import type { PublicationConfig } from './broker-config.js'
import { deadLetterExchange, deadLetterPublicationName, retryExchangeName, retryPublicationName } from './names.js'
import { queuedSteps } from './queued-steps.js'
import type { WorkQueue } from './work-queues.js'

/**
 * As long as a memory alarm may last. When it runs out the outcome is unknown: the original goes to the dead-letter
 * queue while the copy may arrive as well.
 */
const confirmTimeoutMs = 300_000

/** The ways out of a work queue: one publication for each of its retry queues, and one to the dead-letter queue. */
export function createForwardPublications(queue: WorkQueue): Record<string, PublicationConfig> {
  const publications: Record<string, PublicationConfig> = {}
  for (const step of queuedSteps(queue)) {
    publications[retryPublicationName(queue.name, step.name)] = toPublication(retryExchangeName(queue.name), step.name)
  }
  publications[deadLetterPublicationName(queue.name)] = toPublication(deadLetterExchange, queue.name)
  return publications
}

function toPublication(exchange: string, routingKey: string): PublicationConfig {
  // Mandatory: the original is acked on the strength of the copy, so a copy that no queue took must come back.
  const options = { persistent: true, mandatory: true }
  return { exchange, routingKey, confirm: true, timeout: confirmTimeoutMs, options }
}
