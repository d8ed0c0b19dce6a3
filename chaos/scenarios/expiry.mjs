// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const expiry = {
  name: 'expiry',
  what: 'all workers are frozen for 15 s while messages expire after 2 s: what expires is dead-lettered, not dropped',
  seconds: 15,
  goesOnWithin: 10,
  mayGiveUp: () => true,
  givesUpAs: ['expired', 'EXPIRED'],
  prepare: ({ broker, stage }) => broker.limitWorkQueues(stage.vhost, { 'message-ttl': 2000 }),
  async fault({ fleet, pause }) {
    fleet.freeze()
    await pause(15_000)
    fleet.thaw()
  },
}
