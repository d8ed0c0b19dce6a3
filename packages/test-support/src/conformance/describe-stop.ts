import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { spawnNode, untilExited } from '../child-process.js'
import { printNumbers } from '../print-numbers.js'
import { waitFor } from '../wait-for.js'
import { findAppEntry } from '../workspace.js'
import { conformanceTest } from './conformance-test.js'
import {
  countDone,
  countLeft,
  environmentOf,
  lockTable,
  startFleet,
  untilActive,
  untilDone,
  untilHandled,
  untilHeldUp,
  untilNoneHeldUp,
  untilSettled,
  upTo,
} from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

const signalWhileLoading = fileURLToPath(new URL('../signal-while-loading.js', import.meta.url))

export interface StopOptions {
  /**
   * For the replicas: at most 30 deliveries in one batch or, without batches, in flight, unless that is a constant of the
   * worker. So the work does not come in one piece; and no more single acks are under way than the broker's channel passes on to a quorum queue before it closes
   * (33), so that nothing comes again.
   */
  env: Record<string, string>
}

export function describeStop(worker: WorkerUnderTest, { env }: StopOptions): void {
  const test = conformanceTest(worker)
  describe(`${worker.name} that is told to stop`, { timeout: 180_000 }, () => {
    test('finishes what it has in flight, and the other replica does the rest', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const count = 3_000
      const graceMs = 10_000
      const replicas = await startFleet(
        worker,
        { vhost, database, farEnd, workers },
        { replicas: 2, env: { ...env, SHUTDOWN_GRACE_MS: String(graceMs) } },
      )
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const send = worker.openSender({ vhost, cleanUp })
      const sent = Promise.all(upTo(count).map(send))

      const doneBefore = await untilDone(worker, database, count * 0.2)
      const stopping = await untilActive(replicas)
      const other = replicas.find((replica) => replica !== stopping)
      const since = performance.now()
      const exit = await stopping.terminate({ timeoutMs: graceMs })
      const exitMs = performance.now() - since
      const doneAtExit = await countDone(worker, database)
      await sent
      await untilDone(worker, database, count, { timeoutMs: 120_000 })
      await other?.terminate()
      const handled = await untilHandled(effects, count)
      printNumbers(`${worker.name} stop`, {
        pids: [stopping.pid, other?.pid],
        messages: count,
        doneBefore,
        exit,
        exitMs: Math.round(exitMs),
        doneAtExit,
        handled,
      })

      expect(doneBefore).toBeLessThan(count * 0.8)
      expect(exit).toEqual({ code: 0, signal: null })
      expect(doneAtExit).toBeLessThan(count)
      await effects.expectOnce(count)
      // Nothing that the stopped replica had finished came to the other one again.
      expect(handled).toBe(count)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })

    test('hands back what is not finished when the grace period is over, and loses none of it', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const count = 400
      const graceMs = 1_500
      const fixtures = { vhost, database, farEnd, workers }
      const [stopping] = await startFleet(worker, fixtures, { env: { ...env, SHUTDOWN_GRACE_MS: String(graceMs) } })
      const effects = await worker.watchEffects(fixtures)
      const lock = await lockTable(database, worker.table)
      await Promise.all(upTo(count).map(worker.openSender({ vhost, cleanUp })))
      const inHand = await waitFor(() => stopping.metric('mono_in_flight'), { what: 'deliveries in flight' })
      await untilHeldUp(database)
      const since = performance.now()
      const exit = await stopping.terminate({ timeoutMs: 30_000 })
      const exitMs = performance.now() - since
      const handedBack = await waitFor(async () => (await vhost.countMessages(worker.queue)) === count && count, {
        what: `${count} messages to be back in the queue`,
      })
      // What the worker had asked for is not done for it when it has gone.
      await untilNoneHeldUp(database)
      await lock.release()

      const [successor] = await startFleet(worker, fixtures, { env })
      await untilDone(worker, database, count)
      const [acked] = await untilSettled([successor], 'acked', count)
      await successor.terminate()
      printNumbers(`${worker.name} stop, held up`, {
        pids: [stopping.pid, successor.pid],
        messages: count,
        inHand,
        graceMs,
        exit,
        exitMs: Math.round(exitMs),
        handedBack,
        ackedBySuccessor: acked,
      })

      expect(exit).toEqual({ code: 0, signal: null })
      // A worker whose queue keeps its order has a limit of its own for locks, after which all is back in hand.
      if (!worker.keepsOrder) expect(exitMs).toBeGreaterThanOrEqual(graceMs)
      expect(exitMs).toBeLessThan(graceMs + 2_000)
      expect(acked).toBe(count)
      await effects.expectOnce(count)
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })

    // A process that does not listen yet would die of the signal; as the first one of a container it would ignore it.
    test('ends by itself while it still loads, and so do its migrations', async ({ vhost, database, farEnd }) => {
      const env = { ...environmentOf({ vhost, database, farEnd }), NODE_OPTIONS: `--import ${signalWhileLoading}` }
      const end = async (entry: 'main' | 'migrate') =>
        await untilExited(spawnNode(findAppEntry(worker.name, entry), [], env))
      expect(await end('main')).toEqual({ code: 0, signal: null })
      expect(await end('migrate')).toEqual({ code: 1, signal: null })
      expect(await database.query('select from pg_namespace where nspname = $1', [worker.table.split('.')[0]])).toEqual(
        [],
      )
    })
  })
}
