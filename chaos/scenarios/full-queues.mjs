// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {import('../scenario.mjs').Scenario} */
export const fullQueues = {
  name: 'full-queues',
  what: 'all workers are frozen for 15 s while their queues may hold 300 messages: the publisher is refused',
  seconds: 15,
  goesOnWithin: 10,
  prepare: ({ broker, stage }) => broker.limitWorkQueues(stage.vhost, { 'max-length': 300 }),
  async fault({ fleet }) {
    fleet.freeze()
    await sleep(15_000)
    fleet.thaw()
  },
}
