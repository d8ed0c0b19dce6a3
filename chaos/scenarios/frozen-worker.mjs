// @ts-check
import { conversations } from '../../apps/chat-worker/test/description.mjs'

const worker = 'chat-worker'
/** Three heartbeats of 5 s until the broker gives the queue to another, and until there is a next message to store. */
const takeOverSeconds = 30

/** @type {import('../scenario.mjs').Scenario} */
export const frozenWorker = {
  name: 'frozen-worker',
  what: 'SIGSTOP of the active one of three chat-workers for 60 s: another takes over, and what the frozen one goes on with when it is thawed does no harm',
  seconds: 60,
  queues: ['chat.messages'],
  replicas: 3,
  goesOnWithin: 10,
  async fault({ fleet, stage, pause, short, note, reportFault }) {
    const active = await fleet.untilActive(worker)
    active.kill('SIGSTOP')
    const since = Date.now()
    await pause(60_000)
    const firsts = await stage.query(
      `SELECT extract(epoch FROM min(stored_at))::float - $1 AS seconds FROM chat.messages
       WHERE stored_at > to_timestamp($1) GROUP BY conversation_id`,
      [since / 1000],
    )
    active.kill('SIGCONT')
    const slowest = Math.max(...firsts.map(({ seconds }) => seconds))
    note(
      firsts.length === conversations
        ? `${active.name} was frozen; all conversations went on within ${slowest.toFixed(1)} s`
        : `${active.name} was frozen; ${firsts.length} of ${conversations} conversations went on`,
    )
    // In short form it wakes up before anybody notices.
    if (!short && (firsts.length < conversations || slowest > takeOverSeconds)) {
      reportFault(`not all conversations went on within ${takeOverSeconds} s while a worker was frozen`)
    }
  },
}
