// @ts-check
import { toMessageId, workerOf } from '../scripts/workers.mjs'
import { nestedModule, publishNested } from './publish-nested.mjs'
import { deadLetterQueueOf, idHeader, withChannel } from './queues.mjs'
import { runWithDeepStack } from './run-with-deep-stack.mjs'

/** @typedef {import('../scripts/workers.mjs').QueueName} QueueName */

/** Beyond all that the publisher sends. */
const firstGoodIndex = 2_000_000

/** `code`: why it must be given up, or the broker's reason.
 * @typedef {{ id: string, code: string, body: string | Buffer, properties?: import('amqplib').Options.Publish }} Poison */

/**
 * Messages that are not the publisher's, sent by a plain AMQP client.
 * @typedef {object} StrayMessages
 * @property {(queue: QueueName, messages: Poison[]) => Promise<void>} sendPoison
 * @property {(queue: QueueName, mutated: Iterable<import('./mutated-messages.mjs').MutatedMessage>) => Promise<void>} sendMutated
 * @property {(queue: QueueName, levels: number) => Promise<void>} sendNested one whose headers are tables nested so deep
 * @property {(queue: QueueName, count: number, options?: { deadLettered?: boolean }) => Promise<void>} sendGood in one go;
 *   `deadLettered`: to the dead-letter queue, for a replay
 * @property {(queue: QueueName, id: string) => void} takeForGood of poison that a replay has made good
 * @property {(queue: QueueName) => { id: string, code: string }[]} listPoison
 * @property {(queue: QueueName) => import('./publisher.mjs').Published[]} listGood
 * @property {(queue: QueueName) => string[]} listMutated ids
 */

/** @param {number} levels */
export const toNestedId = (levels) => `nested-${levels}`

/**
 * @param {import('./stage.mjs').Stage} stage
 * @returns {StrayMessages}
 */
export function createStrayMessages({ brokerUrl }) {
  /** @type {{ queue: QueueName, id: string, code: string }[]} */
  const poison = []
  /** @type {{ queue: QueueName, id: string }[]} */
  const mutations = []
  /** @type {import('./publisher.mjs').Published[]} */
  const good = []
  const addGood = (/** @type {QueueName} */ queue, /** @type {string} */ id) =>
    good.push({ id, queue, outcome: 'confirmed', timeouts: 0, longestMs: 0, sentAt: Date.now(), settledAt: Date.now() })
  return {
    async sendPoison(queue, messages) {
      const { exchange, routingKey } = workerOf(queue)
      await withChannel(brokerUrl, async (channel) => {
        for (const { id, code, body, properties } of messages) {
          channel.publish(exchange, routingKey, Buffer.from(body), { persistent: true, messageId: id, ...properties })
          poison.push({ queue, id, code })
        }
        await channel.waitForConfirms()
      })
    },
    async sendMutated(queue, mutated) {
      const { exchange, routingKey } = workerOf(queue)
      await withChannel(brokerUrl, async (channel) => {
        let index = 0
        for (const { body, properties } of mutated) {
          index += 1
          const id = `mutated-${index}`
          const headers = { ...properties.headers, [idHeader]: id }
          channel.publish(exchange, routingKey, body, { persistent: true, ...properties, headers })
          mutations.push({ queue, id })
          if (index % 10 === 0) await channel.waitForConfirms()
        }
        await channel.waitForConfirms()
      })
    },
    async sendNested(queue, levels) {
      const { exchange, routingKey, createPayload } = workerOf(queue)
      const id = toNestedId(levels)
      const body = JSON.stringify(createPayload(0, id))
      await runWithDeepStack(nestedModule, publishNested, brokerUrl, { exchange, routingKey, id, body, levels })
      poison.push({ queue, id, code: 'delivery_limit' })
    },
    async sendGood(queue, count, { deadLettered = false } = {}) {
      const { exchange, routingKey, createPayload } = workerOf(queue)
      await withChannel(brokerUrl, async (channel) => {
        for (let sent = 0; sent < count; sent += 1) {
          const index = firstGoodIndex + good.length
          const id = toMessageId(queue, index)
          const body = Buffer.from(JSON.stringify(createPayload(index, id)))
          const properties = { persistent: true, messageId: id }
          if (deadLettered) {
            const headers = { 'x-original-exchange': exchange, 'x-original-routing-key': routingKey }
            channel.publish('', deadLetterQueueOf(queue), body, { ...properties, headers })
          } else {
            channel.publish(exchange, routingKey, body, properties)
          }
          addGood(queue, id)
        }
        await channel.waitForConfirms()
      })
    },
    takeForGood(queue, id) {
      const index = poison.findIndex((each) => each.queue === queue && each.id === id)
      if (index >= 0) poison.splice(index, 1)
      addGood(queue, id)
    },
    listGood: (wanted) => good.filter(({ queue }) => queue === wanted),
    listPoison: (wanted) => poison.filter(({ queue }) => queue === wanted),
    listMutated: (wanted) => mutations.filter(({ queue }) => queue === wanted).map(({ id }) => id),
  }
}
