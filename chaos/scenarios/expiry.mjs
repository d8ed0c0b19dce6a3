// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {import('../scenario.mjs').Scenario} */
export const expiry = {
  name: 'expiry',
  what: 'all workers are frozen for 15 s while messages expire after 2 s: what expires is dead-lettered, not dropped',
  seconds: 15,
  goesOnWithin: 10,
  mayGiveUp: () => true,
  async prepare({ broker, stage }) {
    const pattern = '^(chat.messages|push.notifications|email.notifications|audit.events)$'
    const definition = JSON.stringify({ 'message-ttl': 2000 })
    await broker.ctl('set_policy', '-p', stage.vhost, 'brief', pattern, definition, '--apply-to', 'queues')
  },
  async fault({ fleet }) {
    for (const replica of fleet.replicas) replica.kill('SIGSTOP')
    await sleep(15_000)
    for (const replica of fleet.replicas) replica.kill('SIGCONT')
  },
}
