import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import type { PublishProperties } from '../vhost-client.js'
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

    test('so have messages whose properties and headers are what other clients make of ours', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      for (const [index, properties] of foreignProperties.entries()) {
        await vhost.publish(worker.exchange, worker.routingKey, worker.createBody(index), properties)
      }
      await untilDone(worker, database, foreignProperties.length)
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      await effects.expectOnce(foreignProperties.length)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })

    test('so have messages whose bodies are as the serializers of other languages write them', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers })
      const { messages, readEffects } = worker.foreign
      for (const { routingKey = worker.routingKey, body } of messages) {
        await vhost.publish(worker.exchange, routingKey, body)
      }
      await untilDone(worker, database, messages.length)
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      const found = await readEffects({ database, farEnd })
      expect(found).toHaveLength(messages.length)
      expect(found).toEqual(expect.arrayContaining(messages.map(({ effect }) => effect)))
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}

const foreignProperties: PublishProperties[] = [
  {
    messageId: '',
    type: '',
    contentType: 'application/json; charset=utf-8',
    headers: {
      'x-tenant-id': '42',
      'x-schema-version': '1',
      'x-attempts': '0',
      'x-published-at': new Date().toISOString().replace(/T(.*)Z/, ' $1000+00'),
    },
  },
  {
    headers: {
      'x-tenant-id': { '!': 'decimal', value: { places: 1, digits: 420 } },
      'x-schema-version': { '!': 'double', value: 1 },
      'x-attempts': null,
      'x-published-at': { '!': 'timestamp', value: Math.floor(Date.now() / 1_000) },
    },
  },
]
