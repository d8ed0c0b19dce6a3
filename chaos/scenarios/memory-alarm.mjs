// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const memoryAlarm = {
  name: 'memory-alarm',
  what: "the broker's memory alarm is on for 30 s",
  seconds: 30,
  goesOnWithin: 10,
  async fault({ broker, pause }) {
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1MB')
    await pause(30_000)
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1GiB')
  },
}
