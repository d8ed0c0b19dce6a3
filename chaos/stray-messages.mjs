// @ts-check
import { messageKinds } from './messages.mjs'
import { idHeader, withChannel } from './queues.mjs'

/** @typedef {import('./messages.mjs').QueueName} QueueName */

/** `code`: why it must be given up, or the broker's reason.
 * @typedef {{ id: string, code: string, body: string | Buffer, properties?: import('amqplib').Options.Publish }} Poison */

/**
 * Messages that are not the publisher's, sent by a plain AMQP client.
 * @typedef {object} StrayMessages
 * @property {(queue: QueueName, messages: Poison[]) => Promise<void>} sendPoison
 * @property {(queue: QueueName, mutated: Iterable<import('./mutated-messages.mjs').MutatedMessage>) => Promise<void>} sendMutated
 * @property {(queue: QueueName) => { id: string, code: string }[]} listPoison
 * @property {(queue: QueueName) => string[]} listMutated ids
 */

/**
 * @param {import('./stage.mjs').Stage} stage
 * @returns {StrayMessages}
 */
export function createStrayMessages({ brokerUrl }) {
  /** @type {{ queue: QueueName, id: string, code: string }[]} */
  const poison = []
  /** @type {{ queue: QueueName, id: string }[]} */
  const mutations = []
  return {
    async sendPoison(queue, messages) {
      const { exchange, routingKey } = messageKinds[queue]
      await withChannel(brokerUrl, async (channel) => {
        for (const { id, code, body, properties } of messages) {
          channel.publish(exchange, routingKey, Buffer.from(body), { persistent: true, messageId: id, ...properties })
          poison.push({ queue, id, code })
        }
        await channel.waitForConfirms()
      })
    },
    async sendMutated(queue, mutated) {
      const { exchange, routingKey } = messageKinds[queue]
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
    listPoison: (wanted) => poison.filter(({ queue }) => queue === wanted),
    listMutated: (wanted) => mutations.filter(({ queue }) => queue === wanted).map(({ id }) => id),
  }
}
