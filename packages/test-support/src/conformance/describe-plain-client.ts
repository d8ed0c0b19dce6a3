import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, untilDone } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export function describePlainClient(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  describe(`${worker.name} and a plain AMQP client`, () => {
    test('a message of exchange, routing key and body only has its effect', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const body = Buffer.from(JSON.stringify(worker.createBody(0)))
      const since = performance.now()
      await vhost.withChannel(async (channel) => {
        channel.publish(worker.exchange, worker.routingKey, body)
      })
      await untilDone(worker, database, 1)
      printNumbers(`${worker.name} plain client`, { doneMs: Math.round(performance.now() - since) })
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      await effects.expectOnce(1)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}
