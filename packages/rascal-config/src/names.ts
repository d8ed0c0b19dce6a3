/** The virtual host of the platform. Only `definitions.json` names it; a client's URL decides where it connects. */
export const vhostName = 'mono'

/** Every work queue, in the order in which tables and files list them. */
export const workQueueNames = ['chat.messages', 'push.notifications', 'email.notifications', 'audit.events'] as const

export type WorkQueueName = (typeof workQueueNames)[number]

export const messagesExchange = 'messages'
export const notificationsExchange = 'notifications'
export const auditExchange = 'audit'

/** Live updates for whoever is listening: confirmed, but neither mandatory nor persistent. */
export const realtimeExchange = 'realtime'

/** Takes the dead letters; the routing key is the name of the work queue it came from. */
export const deadLetterExchange = 'dead-letter'

/** Exchanges that several parties use, in the order in which tables and files list them. */
export const sharedExchanges = [
  messagesExchange,
  notificationsExchange,
  auditExchange,
  realtimeExchange,
  deadLetterExchange,
] as const

/** The routing key on a retry exchange that leads back to the work queue. */
export const returnRoutingKey = 'work'

/** Holds the dead letters of this work queue, until somebody replays or deletes them. */
export function deadLetterQueueName(queue: WorkQueueName): string {
  return `${queue}.dlq`
}

/** One exchange per worker, so that a broker user can be denied what belongs to the others. */
export function retryExchangeName(queue: WorkQueueName): string {
  return `${queue}.retry`
}

/** The queue in which a message waits for one retry step; `stepName` as in `RetryStep.name`, such as `10s`. */
export function retryQueueName(queue: WorkQueueName, stepName: string): string {
  return `${retryExchangeName(queue)}.${stepName}`
}

/** Takes the place of a work queue while that is made anew with other arguments. */
export function migratingQueueName(queue: WorkQueueName): string {
  return `${queue}.migrating`
}

/** The rascal publication that puts a message into the retry queue of this step. */
export function retryPublicationName(queue: WorkQueueName, stepName: string): string {
  return retryQueueName(queue, stepName)
}

/** The rascal publication that dead-letters a message. */
export function deadLetterPublicationName(queue: WorkQueueName): string {
  return deadLetterQueueName(queue)
}
