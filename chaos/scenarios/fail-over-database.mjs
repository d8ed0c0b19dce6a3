// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const failOverDatabase = {
  name: 'fail-over-database',
  what: 'three times kill -9 of the primary database, whose standby is promoted at the same address',
  seconds: 60,
  goesOnWithin: 10,
  async fault({ database, pause, note, short }) {
    for (let times = short ? 1 : 3; times > 0; times -= 1) {
      await pause(5_000)
      const awayMs = await database.failOver()
      note(`the database was away for ${(awayMs / 1000).toFixed(1)} s`)
    }
  },
}
