// @ts-check

const roundTripMs = 120

/** @type {import('../scenario.mjs').Scenario} */
export const slowDatabase = {
  name: 'slow-database',
  what: `for 30 s each answer of the database reaches the three chat-workers ${roundTripMs} ms later`,
  seconds: 30,
  queues: ['chat.messages'],
  replicas: 3,
  databaseProxied: true,
  goesOnWithin: 10,
  async fault({ stage, pause }) {
    stage.databaseProxy?.delay(roundTripMs / 2)
    await pause(30_000)
    stage.databaseProxy?.delay(0)
  },
}
