import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import type { WorkerProcess } from '../spawn-worker.js'
import { createTcpProxy } from '../tcp-proxy.js'
import { waitFor } from '../wait-for.js'
import { readWorkspaceFile } from '../workspace.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, sum, untilDone, untilNoDeadlock, untilSettled, upTo } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

const backlog = 20
const isOpen = { dependency: 'database' }

const readinessOf = async ({ httpUrl }: WorkerProcess) => {
  const answer = await fetch(`${httpUrl}/readyz`)
  return { status: answer.status, body: await answer.json() }
}

const changesOf = ({ logs }: WorkerProcess) =>
  logs.filter(({ dependency }) => dependency === 'database').map(({ level, msg }) => `${level}: ${msg}`)

/** As the broker's definitions name them. */
async function findRetryQueues(queue: string): Promise<string[]> {
  const { queues } = JSON.parse(await readWorkspaceFile('docker/rabbitmq/definitions.json')) as {
    queues: { name: string }[]
  }
  return queues.map(({ name }) => name).filter((name) => name.startsWith(`${queue}.retry.`))
}

export function describeDatabaseOutage(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  describe(`${worker.name} that loses its database`, { timeout: 120_000 }, () => {
    test('takes nothing until it is back, and goes on within ten seconds', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const proxy = await createTcpProxy({ target: database.url })
      cleanUp(() => proxy.close())
      const { keepsOrder = false } = worker
      const retryQueues = await findRetryQueues(worker.queue)
      expect(retryQueues.length > 0).toBe(!keepsOrder)
      const countInRetry = async () => sum(await Promise.all(retryQueues.map((name) => vhost.countMessages(name))))
      const env = { DATABASE_URL: proxy.url(database.url) }
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers }, { env })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const publish = (index: number) => vhost.publish(worker.exchange, worker.routingKey, worker.createBody(index))
      await publish(0)
      await untilSettled([replica], 'acked', 1)
      expect(await replica.metric('mono_breaker_open', isOpen)).toBe(0)

      await proxy.down('reset')
      await waitFor(async () => (await replica.metric('mono_breaker_open', isOpen)) === 1, { what: 'an open breaker' })
      expect(await readinessOf(replica)).toMatchObject({
        status: 503,
        body: {
          checks: {
            consumer: { state: 'paused' },
            database: { state: 'down', error: expect.any(String) },
            breakers: { database: { state: 'open', error: expect.any(String) } },
          },
        },
      })
      const attemptsBefore = proxy.attempts
      for (const index of upTo(backlog)) await publish(index + 1)
      await waitFor(() => proxy.attempts >= attemptsBefore + 4, { what: 'four attempts', timeoutMs: 20_000 })
      expect(await countLeft(worker, { vhost })).toEqual({ ready: keepsOrder ? 0 : backlog, dead: 0 })
      expect(await replica.metric('mono_in_flight')).toBe(keepsOrder ? backlog : 0)
      expect(await countInRetry()).toBe(0)

      const since = performance.now()
      await proxy.up()
      await untilDone(worker, database, backlog + 1)
      const goesOnAfterMs = Math.round(performance.now() - since)
      await replica.ready()
      expect(await replica.metric('mono_breaker_open', isOpen)).toBe(0)
      printNumbers(`${worker.name} database outage`, { goesOnAfterMs, changes: changesOf(replica) })
      expect(goesOnAfterMs).toBeLessThan(10_000)
      expect(changesOf(replica)).toEqual([
        'warn: A dependency cannot be used; nothing is taken until it can',
        'info: A dependency answers again; deliveries are taken',
      ])
      await untilSettled([replica], 'acked', backlog + 1)
      expect(await replica.metric('mono_deliveries_total')).toBe(backlog + 1)
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      await effects.expectOnce(backlog + 1)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
      expect(await countInRetry()).toBe(0)
    })

    test('counts no attempt against the only message that suffers what no list of errors names', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers })
      await database.query(
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN RAISE EXCEPTION 'cache lookup failed' USING ERRCODE = 'XX000'; END $$`,
      )
      await untilNoDeadlock(() =>
        database.query(`CREATE TRIGGER refuse BEFORE INSERT ON ${worker.table} FOR EACH ROW EXECUTE FUNCTION refuse()`),
      )
      await vhost.publish(worker.exchange, worker.routingKey, worker.createBody(0))
      await waitFor(async () => (await readinessOf(replica)).status === 503, { what: 'the worker not to be ready' })
      expect((await readinessOf(replica)).body).toMatchObject({
        checks: {
          database: { state: 'unusable', code: 'XX000', error: 'cache lookup failed' },
          breakers: { database: { state: 'open' } },
        },
      })
      expect(await replica.metric('mono_retries_total')).toBe(0)
      await database.query('DROP FUNCTION refuse CASCADE')
      // A message that was deferred before the breaker opened waits out its delay.
      await untilDone(worker, database, 1, { timeoutMs: 90_000 })
      await replica.ready()
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}
