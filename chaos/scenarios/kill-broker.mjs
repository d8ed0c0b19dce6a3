// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const killBroker = {
  name: 'kill-broker',
  what: 'kill -9 of the broker, and it is started again',
  seconds: 20,
  goesOnWithin: 10,
  async fault({ broker }) {
    await broker.kill()
    await broker.start()
  },
}
