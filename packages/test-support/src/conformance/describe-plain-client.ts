import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import { test } from '../test.js'
import { countLeft, startFleet, untilRows } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export function describePlainClient(worker: WorkerUnderTest): void {
  describe(`${worker.name} and a plain AMQP client`, () => {
    test('a message of exchange, routing key and body only has its effect', async ({ vhost, database, workers }) => {
      const [replica] = await startFleet(worker, { vhost, database, workers })
      const effects = await worker.watchEffects({ vhost, database })
      const body = Buffer.from(JSON.stringify(worker.createBody(0)))
      const since = performance.now()
      await vhost.withChannel(async (channel) => {
        channel.publish(worker.exchange, worker.routingKey, body)
      })
      await untilRows(database, worker.table, 1)
      printNumbers(`${worker.name} plain client`, { doneMs: Math.round(performance.now() - since) })
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      await effects.expectOnce(1)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}
