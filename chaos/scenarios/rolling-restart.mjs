// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {import('../scenario.mjs').Scenario} */
export const rollingRestart = {
  name: 'rolling-restart',
  what: 'SIGTERM to one worker after the other, the next when the last has been started again',
  seconds: 40,
  goesOnWithin: 10,
  async fault({ fleet }) {
    for (const replica of fleet.replicas) {
      await replica.restart()
      await sleep(3000)
    }
  },
}
