// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {import('../scenario.mjs').Scenario} */
export const freezeDatabase = {
  name: 'freeze-database',
  what: 'SIGSTOP of the database and its children for 30 s',
  seconds: 30,
  goesOnWithin: 10,
  async fault({ database }) {
    await database.freeze()
    await sleep(30_000)
    database.thaw()
  },
}
