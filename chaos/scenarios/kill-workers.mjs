// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

const kills = 15
const pauseMs = 2000
const why = 'handed over, and not recorded when the process was killed'

/** @type {import('../scenario.mjs').Scenario} */
export const killWorkers = {
  name: 'kill-workers',
  what: 'kill -9 of a random worker every 2 s, 15 times; a supervisor starts it again',
  seconds: (kills * pauseMs) / 1000,
  goesOnWithin: 10,
  mayDoTwice: { 'push.notifications': why, 'email.notifications': why },
  async fault({ fleet, short, note }) {
    /** @type {Record<string, number>} */
    const killed = {}
    for (let round = 0; round < (short ? 3 : kills); round += 1) {
      const victim = fleet.replicas[Math.floor(Math.random() * fleet.replicas.length)]
      victim?.kill('SIGKILL')
      if (victim) killed[victim.worker] = (killed[victim.worker] ?? 0) + 1
      await sleep(pauseMs)
    }
    note(
      `killed ${Object.entries(killed)
        .map(([worker, times]) => `${worker} ${times}`)
        .join(', ')}`,
    )
  },
}
