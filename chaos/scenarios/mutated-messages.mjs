// @ts-check
import { createMutatedMessages } from '../mutated-messages.mjs'

const countByQueue = 2500

/** @type {import('../scenario.mjs').Scenario} */
export const mutatedMessages = {
  name: 'mutated-messages',
  what: `${countByQueue} messages to each queue with something wrong in body, properties or headers: none is left, and no worker ends`,
  seconds: 20,
  goesOnWithin: 10,
  async fault({ queues, seed, sendMutated, short, note }) {
    note(`seed ${seed}: repeat it with --seed ${seed}`)
    const count = short ? 100 : countByQueue
    for (const queue of queues) {
      await sendMutated(queue, createMutatedMessages(queue, { count, seed, firstIndex: 1_000_000 }))
    }
  },
}
