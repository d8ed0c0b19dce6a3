import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, untilDone } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export function describeDefinitions(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  describe(`${worker.name} on a broker that booted with definitions.json`, () => {
    test.for(['declare', 'check'])(
      'finds its topology with TOPOLOGY=%s, and handles a message',
      async (TOPOLOGY, { vhost, database, farEnd, workers }) => {
        await vhost.importDefinitions()
        expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
        const since = performance.now()
        const [replica] = await startFleet(worker, { vhost, database, farEnd, workers }, { env: { TOPOLOGY } })
        const readyMs = performance.now() - since
        await vhost.publish(worker.exchange, worker.routingKey, worker.createBody(0))
        await untilDone(worker, database, 1)
        printNumbers(`${worker.name} definitions`, { TOPOLOGY, readyMs: Math.round(readyMs) })
        expect(await replica.terminate()).toEqual({ code: 0, signal: null })
        expect(replica.logs.filter(({ level }) => level !== 'info')).toEqual([])
        expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
      },
    )
  })
}
