// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const freezeBroker = {
  name: 'freeze-broker',
  what: 'SIGSTOP of the broker for 45 s',
  seconds: 45,
  goesOnWithin: 10,
  async fault({ broker, pause }) {
    broker.freeze()
    await pause(45_000)
    broker.thaw()
  },
}
