// @ts-check

const maxLength = 300

/** @type {import('../scenario.mjs').Scenario} */
export const fullQueues = {
  name: 'full-queues',
  what: `all workers are frozen for 15 s while their queues may hold ${maxLength} messages: the publisher is refused`,
  seconds: 15,
  goesOnWithin: 10,
  prepare: ({ broker, stage, messages }) =>
    broker.limitWorkQueues(stage.vhost, { 'max-length': Math.min(maxLength, Math.ceil(messages / 5)) }),
  async fault({ fleet, pause }) {
    fleet.freeze()
    await pause(15_000)
    fleet.thaw()
  },
}
