// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { withChannel } from '../queues.mjs'

/** @type {import('../scenario.mjs').Scenario} */
export const deleteQueues = {
  name: 'delete-queues',
  what: 'each work queue is deleted while it is empty and consumed, and the publisher goes on at once',
  seconds: 10,
  goesOnWithin: 10,
  async fault({ stage, publisher, queues, note }) {
    // Whatever a deleted queue holds is gone, and nobody's fault.
    publisher.freeze()
    await sleep(3000)
    await withChannel(stage.brokerUrl, async (channel) => {
      for (const queue of queues) {
        const { messageCount } = await channel.deleteQueue(queue)
        if (messageCount > 0) note(`${queue} still held ${messageCount} messages when it was deleted`)
      }
    })
    publisher.thaw()
  },
}
