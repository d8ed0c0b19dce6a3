// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const diskAlarm = {
  name: 'disk-alarm',
  what: "the broker's disk alarm is on for 30 s",
  seconds: 30,
  goesOnWithin: 10,
  async fault({ broker, pause }) {
    await broker.ctl('set_disk_free_limit', '10000GB')
    await pause(30_000)
    await broker.ctl('set_disk_free_limit', '50MB')
  },
}
