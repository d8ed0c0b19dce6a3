// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const freezeDatabase = {
  name: 'freeze-database',
  what: 'SIGSTOP of the database and its children for 30 s',
  seconds: 30,
  goesOnWithin: 10,
  async fault({ database, pause }) {
    await database.freeze()
    await pause(30_000)
    database.thaw()
  },
}
