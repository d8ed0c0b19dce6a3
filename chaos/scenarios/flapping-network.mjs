// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** A set-up of connection, channel and consumer takes longer than the shorter lives, and less than the longer ones. */
const lifeMs = { min: 5, max: 125 }

/** A delivery that was in hand at the last cut has its effect by then: every later effect is of one taken afterwards. */
const inHandMs = 1_000

/** @type {import('../scenario.mjs').Scenario} */
export const flappingNetwork = {
  name: 'flapping-network',
  what: `for 30 to 60 s the network ends each connection to the broker ${lifeMs.min} to ${lifeMs.max} ms after it was made`,
  seconds: 60,
  shortSeconds: 10,
  // A mail whose connection was cut while it was sent waits a minute for its lease.
  shortQueues: ['chat.messages', 'push.notifications', 'audit.events'],
  isTest: true,
  replicas: 1,
  proxied: true,
  goesOnWithin: 10 - inHandMs / 1000,
  sendsAgainWithin: 10 - inHandMs / 1000,
  async fault({ stage, short, note }) {
    const ms = short ? 10_000 : 30_000 + Math.random() * 30_000
    const before = stage.proxy?.attempts ?? 0
    stage.proxy?.flap(lifeMs)
    await sleep(ms)
    stage.proxy?.steady()
    await sleep(lifeMs.max + inHandMs)
    note(`${(stage.proxy?.attempts ?? 0) - before} connections were ended in ${(ms / 1000).toFixed(0)} s`)
  },
}
