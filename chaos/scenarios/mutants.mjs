// @ts-check
import { createMutants } from '../mutants.mjs'

const countByQueue = 2500

/** @type {import('../scenario.mjs').Scenario} */
export const mutants = {
  name: 'mutants',
  what: `${countByQueue} messages to each queue with something wrong in body, properties or headers: none is left, and no worker ends`,
  seconds: 20,
  goesOnWithin: 10,
  async fault({ queues, seed, sendMutants, note }) {
    note(`seed ${seed}: repeat it with --seed ${seed}`)
    for (const queue of queues) {
      await sendMutants(queue, createMutants(queue, { count: countByQueue, seed, firstIndex: 1_000_000 }))
    }
  },
}
