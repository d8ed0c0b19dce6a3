// @ts-check
import { join } from 'node:path'
import { workQueues } from '@mono/rascal-config'
import { rootDirectory } from '../../scripts/services/paths.mjs'
import { waitUntilReady } from '../../scripts/services/wait-until-ready.mjs'
import { workerOf } from '../../scripts/workers.mjs'
import { deadlyMarker } from '../deadly-marker.mjs'
import { countQueue, deadLetterQueueOf } from '../queues.mjs'

const why = 'handed over, and not recorded when the process was killed'
/** Twenty-one starts of a worker. */
const limitMs = 300_000

/** @type {import('../scenario.mjs').Scenario} */
export const deadlyMessages = {
  name: 'deadly-messages',
  what: 'one message in each queue ends whatever process takes it: it is given up after its 21 deliveries, of chat after six, alone',
  seconds: 60,
  goesOnWithin: 10,
  mayDoTwice: { 'push.notifications': why, 'email.notifications': why },
  environment: { NODE_OPTIONS: `--import ${join(rootDirectory, 'chaos/crash-on-marker.mjs')}` },
  mayKillItself: true,
  async fault({ stage, queues, sendPoison, note }) {
    for (const queue of queues) {
      const payload = { ...workerOf(queue).createPayload(0, 'deadly'), [deadlyMarker]: true }
      // A worker whose queue keeps its order finds the message itself, before the broker's delivery limit.
      const code = workQueues[queue].order === 'strict' ? 'HANDLER_BUG' : 'delivery_limit'
      await sendPoison(queue, [{ id: 'deadly', code, body: JSON.stringify(payload) }])
    }
    const fault = await waitUntilReady(
      async () => {
        const counts = await Promise.all(queues.map((queue) => countQueue(stage.brokerUrl, deadLetterQueueOf(queue))))
        const missing = queues.filter((_, index) => counts[index]?.messageCount === 0)
        return missing.length > 0 ? `nothing was given up in ${missing.join(', ')}` : undefined
      },
      { timeoutMs: limitMs, intervalMs: 1000 },
    )
    if (fault !== undefined) note(fault)
  },
}
