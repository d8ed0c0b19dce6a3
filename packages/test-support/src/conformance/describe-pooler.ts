import { describe, expect } from 'vitest'
import { migrate } from '../migrate.js'
import { hasPgbouncer, startPgbouncer } from '../pgbouncer.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, untilDone, untilSettled, upTo } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

const count = 20

export function describePooler(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  const isThere = hasPgbouncer()
  const title = `migrates and works through PgBouncer in transaction mode${isThere ? '' : ' (not installed here)'}`
  describe(`${worker.name} behind a pooler`, () => {
    test.skipIf(!isThere)(title, async ({ vhost, database, farEnd, workers, cleanUp }) => {
      const bouncer = await startPgbouncer({ databaseUrl: database.url, poolSize: 3 })
      cleanUp(() => bouncer.close())
      await migrate(worker.name, bouncer.url)
      const fixtures = { vhost, database, farEnd, workers }
      const replicas = await startFleet(worker, fixtures, { replicas: 2, env: { DATABASE_URL: bouncer.url } })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      for (const index of upTo(count)) {
        await vhost.publish(worker.exchange, worker.routingKey, worker.createBody(index))
      }
      await untilDone(worker, database, count)
      await untilSettled(replicas, 'acked', count)
      for (const replica of replicas) expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      await effects.expectOnce(count)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}
