// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const stopBroker = {
  name: 'stop-broker',
  what: 'the broker is stopped in order, and started 5 s later',
  seconds: 20,
  goesOnWithin: 10,
  async fault({ broker, pause }) {
    await broker.stop()
    await pause(5000)
    await broker.start()
  },
}
