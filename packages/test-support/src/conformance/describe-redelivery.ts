import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import type { WorkerProcess } from '../spawn-worker.js'
import { waitFor } from '../wait-for.js'
import { conformanceTest } from './conformance-test.js'
import {
  countLeft,
  lockTable,
  startFleet,
  untilActive,
  untilDone,
  untilHandled,
  untilHeldUp,
  upTo,
} from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export function describeRedelivery(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  // A worker with leases does what the killed ones had claimed when these have ended.
  describe(`${worker.name} that is killed with deliveries in flight`, { timeout: 180_000 }, () => {
    test('leaves its work to another, which does it once', async ({ vhost, database, farEnd, workers, cleanUp }) => {
      // Enough for some to be left when the first has been killed: one that stores in batches of its own size is fast.
      const count = worker.keepsOrder ? 10_000 : 3_000
      const fleet = await startFleet(worker, { vhost, database, farEnd, workers }, { replicas: 3 })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const sent = Promise.all(upTo(count).map(worker.openSender({ vhost, cleanUp })))

      // In the middle of the work, some of it done and not yet acknowledged.
      const doneBefore = await untilDone(worker, database, count * 0.1)
      const first = await untilActive(fleet)
      first.kill('SIGKILL')
      await first.exited
      // With all in flight and nothing of it done.
      const lock = await lockTable(database, worker.table)
      await untilHeldUp(database)
      // One replica may have in its hands all that was left when the table was locked.
      const { second, inHand } = await waitFor(() => findBusy(fleet.filter((replica) => replica !== first)), {
        what: 'deliveries in flight',
      })
      const survivor = fleet.find((replica) => replica !== first && replica !== second)
      second.kill('SIGKILL')
      await second.exited
      await lock.release()

      await sent
      await untilDone(worker, database, count, { timeoutMs: 120_000 })
      // What the killed ones had done and not acknowledged comes once more, after all is done.
      await waitFor(async () => (await countLeft(worker, { vhost })).ready === 0, { what: 'an empty queue' })
      await waitFor(async () => (await survivor?.metric('mono_in_flight')) === 0, { what: 'nothing in flight' })
      const handled = await untilHandled(effects, count)
      await survivor?.terminate()
      printNumbers(`${worker.name} killed`, {
        pids: [first.pid, second.pid, survivor?.pid],
        messages: count,
        doneBeforeFirstKill: doneBefore,
        inHandAtSecondKill: inHand,
        handled,
      })

      await effects.expectOnce(count, { killed: true })
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}

async function findBusy(replicas: readonly WorkerProcess[]) {
  for (const second of replicas) {
    const inHand = await second.metric('mono_in_flight')
    if (inHand > 0) return { second, inHand }
  }
  return undefined
}
