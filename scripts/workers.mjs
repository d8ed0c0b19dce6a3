// @ts-check
import { auditDescription } from '../apps/audit-worker/test/description.mjs'
import { chatDescription } from '../apps/chat-worker/test/description.mjs'
import { emailDescription } from '../apps/email-worker/test/description.mjs'
import { pushDescription } from '../apps/push-worker/test/description.mjs'

/**
 * @typedef {import('@mono/rascal-config').WorkQueueName} QueueName
 * @typedef {import('@mono/test-support').WorkerDescription<import('@mono/message-queue').MessageQueue>} WorkerDescription
 */

/** @type {WorkerDescription[]} */
export const workers = [chatDescription, pushDescription, emailDescription, auditDescription]

export const workerNames = workers.map(({ name }) => name)

export const queueNames = workers.map(({ queue }) => /** @type {QueueName} */ (queue))

/** @param {QueueName} queue */
export function workerOf(queue) {
  const worker = workers.find((each) => each.queue === queue)
  if (!worker) throw new Error(`Expected a worker of ${queue}, found none`)
  return worker
}

/** @param {QueueName} queue @param {number} index */
export const toMessageId = (queue, index) => `${queue}-${index}`

/** @param {string} messageId */
export const toIndex = (messageId) => Number(messageId.split('-').at(-1))
