// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const killDatabase = {
  name: 'kill-database',
  what: 'kill -9 of the database, and it is started again 10 s later',
  seconds: 15,
  goesOnWithin: 10,
  async fault({ database, pause }) {
    await database.kill()
    await pause(10_000)
    await database.start()
  },
}
