// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** A set-up of connection, channel and consumer takes longer than the shorter lives, and less than the longer ones. */
const lifeMs = { min: 5, max: 125 }

/** @type {import('../scenario.mjs').Scenario} */
export const flappingNetwork = {
  name: 'flapping-network',
  what: `for 30 to 60 s the network ends each connection to the broker ${lifeMs.min} to ${lifeMs.max} ms after it was made`,
  seconds: 60,
  shortSeconds: 10,
  isTest: true,
  replicas: 1,
  proxied: true,
  goesOnWithin: 10,
  goesOnAfresh: true,
  settleSeconds: 60,
  async fault({ stage, short, note }) {
    const ms = short ? 10_000 : 30_000 + Math.random() * 30_000
    const before = stage.proxy?.attempts ?? 0
    stage.proxy?.flap(lifeMs)
    await sleep(ms)
    stage.proxy?.steady()
    await sleep(lifeMs.max)
    note(`${(stage.proxy?.attempts ?? 0) - before} connections were ended in ${(ms / 1000).toFixed(0)} s`)
  },
}
