// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {import('../scenario.mjs').Scenario} */
export const killDatabase = {
  name: 'kill-database',
  what: 'kill -9 of the database, and it is started again 10 s later',
  seconds: 15,
  goesOnWithin: 10,
  async fault({ database }) {
    await database.kill()
    await sleep(10_000)
    await database.start()
  },
}
