import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import type { WorkerProcess } from '../spawn-worker.js'
import type { PublishProperties } from '../vhost-client.js'
import { type ConformanceFixtures, conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, untilDone } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export function describePlainClient(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)

  /** Until the messages are done, the worker has ended, and nothing is left in its queues. */
  async function untilAllDone(
    replica: WorkerProcess,
    { vhost, database }: Pick<ConformanceFixtures, 'vhost' | 'database'>,
    count: number,
  ): Promise<void> {
    const since = performance.now()
    await untilDone(worker, database, count)
    printNumbers(`${worker.name} plain client`, { count, doneMs: Math.round(performance.now() - since) })
    expect(await replica.terminate()).toEqual({ code: 0, signal: null })
    expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
  }

  describe(`${worker.name} and a plain AMQP client`, () => {
    test('a message of exchange, routing key and body only has its effect', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const fixtures = { vhost, database, farEnd, workers }
      const [replica] = await startFleet(worker, fixtures)
      const effects = await worker.watchEffects(fixtures)
      const body = Buffer.from(JSON.stringify(worker.createBody(0)))
      await vhost.withChannel(async (channel) => {
        channel.publish(worker.exchange, worker.routingKey, body)
      })
      await untilAllDone(replica, fixtures, 1)
      await effects.expectOnce(1)
    })

    test('so have messages whose properties and headers are what other clients make of ours', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const fixtures = { vhost, database, farEnd, workers }
      const [replica] = await startFleet(worker, fixtures)
      const effects = await worker.watchEffects(fixtures)
      for (const [index, properties] of foreignProperties.entries()) {
        await vhost.publish(worker.exchange, worker.routingKey, worker.createBody(index), properties)
      }
      await untilAllDone(replica, fixtures, foreignProperties.length)
      await effects.expectOnce(foreignProperties.length)
    })

    test('so have messages whose bodies are as the serializers of other languages write them', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const fixtures = { vhost, database, farEnd, workers }
      const [replica] = await startFleet(worker, fixtures)
      const { messages, readEffects } = worker.foreign
      for (const { routingKey = worker.routingKey, body } of messages) {
        await vhost.publish(worker.exchange, routingKey, body)
      }
      await untilAllDone(replica, fixtures, messages.length)
      const found = await readEffects(fixtures)
      expect(found).toHaveLength(messages.length)
      expect(found).toEqual(expect.arrayContaining(messages.map(({ effect }) => effect)))
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
