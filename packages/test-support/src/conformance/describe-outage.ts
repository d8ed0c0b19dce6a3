import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import type { WorkerProcess } from '../spawn-worker.js'
import { createTcpProxy } from '../tcp-proxy.js'
import { waitFor } from '../wait-for.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, untilDone, untilSettled } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

const untilNotReady = (replica: WorkerProcess) =>
  waitFor(async () => (await fetch(`${replica.httpUrl}/readyz`)).status === 503, {
    what: 'the worker not to be ready',
    intervalMs: 10,
  })

const warningsOf = ({ logs }: WorkerProcess) => logs.filter(({ level }) => level !== 'info').map(({ msg }) => msg)

export function describeOutage(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  describe(`${worker.name} that loses its broker`, () => {
    test('is not ready until it is back, and then does what was sent meanwhile', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const proxy = await createTcpProxy({ target: vhost.url })
      cleanUp(() => proxy.close())
      const env = { RABBITMQ_URL: proxy.url(vhost.url) }
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers }, { env })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const publish = (index: number) => vhost.publish(worker.exchange, worker.routingKey, worker.createBody(index))
      await publish(0)
      await untilSettled([replica], 'acked', 1)
      // Asked over the network: by its answer the ack has gone through the proxy, which is about to drop what it holds.
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })

      const attemptsBefore = proxy.attempts
      await proxy.down('reset')
      await untilNotReady(replica)
      await publish(1)
      await waitFor(() => proxy.attempts >= attemptsBefore + 8, { what: 'eight attempts', timeoutMs: 20_000 })
      expect((await fetch(`${replica.httpUrl}/livez`)).status).toBe(200)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 1, dead: 0 })
      const attempts = proxy.attempts - attemptsBefore
      const warnings = warningsOf(replica)
      expect(warnings).toContain('Worker is not ready')
      expect(warnings).toEqual([...new Set(warnings)])
      const since = performance.now()
      await proxy.up()
      await replica.ready()
      const readyMs = performance.now() - since
      await untilDone(worker, database, 2)

      proxy.cut()
      await publish(2)
      await untilDone(worker, database, 3)
      await replica.ready()
      printNumbers(`${worker.name} outage`, { attempts, readyAgainMs: Math.round(readyMs), warnings })
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      await effects.expectOnce(3)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}
