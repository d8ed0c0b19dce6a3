import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, sum, untilHandled, untilSettled, upTo } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

const count = 5_000

/** A third twice: half of these at once after the first, half when all others are sent. */
const order = [
  ...upTo(count).flatMap((index) => (index % 6 === 0 ? [index, index] : [index])),
  ...upTo(count).filter((index) => index % 6 === 3),
]

export function describeFleet(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  // A worker with leases defers what comes again while another has it in flight.
  describe(`two replicas of ${worker.name}`, { timeout: 480_000 }, () => {
    test('share the work, if they need not keep its order, and what is sent twice has its effect once', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const fleet = await startFleet(worker, { vhost, database, farEnd, workers }, { replicas: 2 })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const send = worker.openSender({ vhost, cleanUp })
      const since = performance.now()
      await Promise.all(order.map(send))
      const sentMs = performance.now() - since

      const acked = await untilSettled(fleet, 'acked', order.length, { timeoutMs: 420_000 })
      const doneMs = performance.now() - since
      const toHandle = worker.skipsDone ? count : order.length
      const handled = await untilHandled(effects, toHandle)
      printNumbers(`${worker.name} fleet`, {
        pids: fleet.map(({ pid }) => pid),
        messages: count,
        sent: order.length,
        acked,
        handled,
        sentMs: Math.round(sentMs),
        doneMs: Math.round(doneMs),
      })

      await effects.expectOnce(count)
      expect(handled).toBe(toHandle)
      expect(sum(acked)).toBe(order.length)
      if (worker.keepsOrder) expect(Math.min(...acked)).toBe(0)
      else for (const each of acked) expect(each / order.length).toBeGreaterThanOrEqual(0.2)
      for (const replica of fleet) expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}
