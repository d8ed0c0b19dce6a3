// @ts-check
import { waitUntilReady } from '../../scripts/services/wait-until-ready.mjs'
import { countQueue, withChannel } from '../queues.mjs'

const emptyLimitMs = 60_000

/** @type {import('../scenario.mjs').Scenario} */
export const deleteQueues = {
  name: 'delete-queues',
  what: 'each work queue is deleted while it is empty and consumed, and the publisher goes on at once',
  seconds: 10,
  goesOnWithin: 10,
  freezesPublisher: true,
  async fault({ stage, publisher, queues }) {
    publisher.freeze()
    const findFull = async () => {
      const counts = await Promise.all(queues.map((queue) => countQueue(stage.brokerUrl, queue)))
      const full = queues.filter((_, index) => counts[index]?.messageCount !== 0)
      return full.length > 0 ? `messages are in ${full.join(', ')}` : undefined
    }
    const fault = await waitUntilReady(findFull, { timeoutMs: emptyLimitMs, intervalMs: 200 })
    if (fault !== undefined) throw new Error(`Expected empty queues: ${fault}`)
    await withChannel(stage.brokerUrl, async (channel) => {
      for (const queue of queues) {
        // RabbitMQ has no `if-empty` for quorum queues. Whatever a deleted queue held would be gone, and nobody's fault.
        const { messageCount } = await channel.deleteQueue(queue)
        if (messageCount > 0) throw new Error(`Expected ${queue} to be empty, found ${messageCount} messages in it`)
      }
    })
    publisher.thaw()
  },
}
