import { readFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import type { TestFixtures } from '../test.js'
import type { TestVhost } from '../test-vhost.js'
import { waitFor } from '../wait-for.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, environmentOf, prepareDatabase, untilDone } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export interface UpgradeOptions {
  /** The folder of `database.sql` and `messages.json`: what the first release left in the database and in the queues. */
  from: URL
  /** A query for the `id` of every message that is done. */
  doneIds: string
  /** Declares the queues as the first release did. Default: as they are declared today. */
  declareQueues?(vhost: TestVhost): Promise<void>
  /** Does whatever else is needed before the worker is started. Default: nothing is. */
  prepare?(fixtures: PrepareFixtures): Promise<unknown>
  /** Sends what is in the dead-letter queue again, as far as it can be. */
  replay(fixtures: Pick<TestFixtures, 'vhost' | 'cleanUp'>): Promise<unknown>
}

type PrepareFixtures = Pick<TestFixtures, 'database' | 'workers'> & {
  /** The worker's. */
  env: Record<string, string>
}

interface LeftMessage {
  queue: string
  properties: object
  headers: Record<string, unknown>
  body: string
}

/**
 * The first release had ten messages: it has done five, given up the sixth because it was too old, put the next two off
 * and left the last two in the queue. It has also given up one that is no JSON.
 */
const count = 10
const doneCount = 5

export function describeUpgrade(worker: WorkerUnderTest, options: UpgradeOptions): void {
  const test = conformanceTest(worker)
  const { declareQueues = (vhost) => vhost.importDefinitions(), prepare = async () => {} } = options
  const read = (name: string) => readFile(new URL(name, options.from), 'utf8')

  describe(`${worker.name} after an upgrade from the first release`, { timeout: 120_000 }, () => {
    test('keeps what is stored, and does what is left in each of its queues', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      await database.query(await read('database.sql'))
      const readRows = () => database.query(`SELECT * FROM ${worker.table}`)
      const before = await readRows()
      expect(before).toHaveLength(doneCount)
      await vhost.shortenRetries(worker.queue, { waitMs: 3_000 })
      await declareQueues(vhost)
      for (const message of JSON.parse(await read('messages.json'))) await putBack(worker, vhost, message)

      await prepareDatabase(worker, { database, farEnd })
      const env = environmentOf({ vhost, database, farEnd })
      await prepare({ database, workers, env })
      const replica = workers.spawn(worker.name, env)
      await replica.ready()
      await untilDone(worker, database, count - 1)
      await options.replay({ vhost, cleanUp })
      await untilDone(worker, database, count)
      await waitFor(async () => (await replica.metric('mono_in_flight')) === 0, { what: 'nothing in flight' })
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })

      const ids = (await database.query<{ id: string }>(options.doneIds)).map(({ id }) => id)
      const prefix = worker.name.replace('-worker', '')
      expect(ids.toSorted()).toEqual(Array.from({ length: count }, (_, index) => `${prefix}-${index}`))
      const after = await readRows()
      expect(after).toEqual(expect.arrayContaining(before.map((row) => expect.objectContaining(row))))
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 1 })
      const dead = await vhost.get(`${worker.queue}.dlq`)
      expect(dead?.headers).toMatchObject({ 'x-failure-code': 'INVALID_JSON' })
    })
  })
}

/** As it was left, but not a year ago: an old message expires, which is what only a dead letter has done. */
async function putBack(
  { exchange, routingKey, queue: workQueue }: WorkerUnderTest,
  vhost: TestVhost,
  { queue, properties, headers, body }: LeftMessage,
): Promise<void> {
  const isDead = queue === `${workQueue}.dlq`
  const published = isDead ? {} : { 'x-published-at': new Date().toISOString() }
  const route = queue === workQueue ? ([exchange, routingKey] as const) : (['', queue] as const)
  await vhost.publish(...route, body, { ...properties, headers: { ...headers, ...published } })
}
