// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {import('../scenario.mjs').Scenario} */
export const fullQueues = {
  name: 'full-queues',
  what: 'all workers are frozen for 15 s while their queues may hold 300 messages: the publisher is refused',
  seconds: 15,
  goesOnWithin: 10,
  async prepare({ broker, stage }) {
    const pattern = '^(chat.messages|push.notifications|email.notifications|audit.events)$'
    const definition = JSON.stringify({ 'max-length': 300 })
    await broker.ctl('set_policy', '-p', stage.vhost, 'small', pattern, definition, '--apply-to', 'queues')
  },
  async fault({ fleet }) {
    for (const replica of fleet.replicas) replica.kill('SIGSTOP')
    await sleep(15_000)
    for (const replica of fleet.replicas) replica.kill('SIGCONT')
  },
}
