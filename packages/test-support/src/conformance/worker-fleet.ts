import { migrate } from '../migrate.js'
import type { WorkerProcess } from '../spawn-worker.js'
import type { TestDatabase } from '../test-database.js'
import { waitFor } from '../wait-for.js'
import type { ConformanceFixtures } from './conformance-test.js'
import type { WatchedEffects, WorkerUnderTest } from './worker-under-test.js'

type Services = Pick<ConformanceFixtures, 'vhost' | 'database' | 'farEnd'>

export interface StartOptions {
  /** Default 1. */
  replicas?: number
  /** Beside what the worker needs to run. */
  env?: Record<string, string>
}

/** The least that a worker needs to run. */
export function environmentOf({ vhost, database, farEnd }: Services): Record<string, string> {
  return { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url, ...farEnd.env }
}

/** Migrates the database and puts into it what the messages need. */
export async function prepareDatabase(
  worker: WorkerUnderTest,
  { database, farEnd }: Pick<Services, 'database' | 'farEnd'>,
): Promise<void> {
  await migrate(worker.name, database.url)
  await worker.seed?.({ database, farEnd })
}

/** Prepares the database, starts the replicas together, and resolves when all are ready. */
export async function startFleet(
  worker: WorkerUnderTest,
  fixtures: Services & Pick<ConformanceFixtures, 'workers'>,
  { replicas: count = 1, env = {} }: StartOptions = {},
): Promise<[WorkerProcess, ...WorkerProcess[]]> {
  await prepareDatabase(worker, fixtures)
  const spawn = () => fixtures.workers.spawn(worker.name, { ...environmentOf(fixtures), ...env })
  const fleet: [WorkerProcess, ...WorkerProcess[]] = [spawn(), ...Array.from({ length: count - 1 }, spawn)]
  await Promise.all(fleet.map((replica) => replica.ready()))
  return fleet
}

/** Resolves with the first of them that the broker delivers to; of a queue that keeps its order it is the only one. */
export async function untilActive(replicas: readonly WorkerProcess[]): Promise<WorkerProcess> {
  const found = await waitFor(
    async () => {
      const active = await Promise.all(replicas.map((replica) => replica.metric('mono_active_consumer')))
      return replicas[active.indexOf(1)]
    },
    { what: 'a replica that the broker delivers to', intervalMs: 20 },
  )
  return found
}

/** How many messages are done, as the worker's table says. */
export async function countDone({ table, done = 'true' }: WorkerUnderTest, database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int FROM ${table} WHERE ${done}`)
  return row?.count ?? 0
}

/** Resolves with the number found, once there are at least so many. */
export async function untilDone(
  worker: WorkerUnderTest,
  database: TestDatabase,
  atLeast: number,
  { timeoutMs = 100_000 }: { timeoutMs?: number } = {},
): Promise<number> {
  return await waitFor(
    async () => {
      const found = await countDone(worker, database)
      return found >= atLeast && found
    },
    { what: `at least ${atLeast} messages done in ${worker.table}`, timeoutMs, intervalMs: 10 },
  )
}

/** Resolves with how many deliveries each replica has settled with this outcome, once together they have `atLeast`. */
export async function untilSettled(
  fleet: readonly WorkerProcess[],
  outcome: string,
  atLeast: number,
  { timeoutMs = 100_000 }: { timeoutMs?: number } = {},
): Promise<number[]> {
  return await waitFor(
    async () => {
      const counts = await Promise.all(fleet.map((replica) => replica.metric('mono_deliveries_total', { outcome })))
      return sum(counts) >= atLeast && counts
    },
    { what: `${atLeast} deliveries ${outcome}`, timeoutMs },
  )
}

/** Resolves with the number found, once the work was done at least so often. */
export async function untilHandled(effects: WatchedEffects, atLeast: number): Promise<number> {
  return await waitFor(
    async () => {
      const found = await effects.countHandled()
      return found >= atLeast && found
    },
    { what: `${atLeast} deliveries to be handled` },
  )
}

/** What waits in the work queue, and in the dead-letter queue. What a replica has in flight is not counted. */
export async function countLeft({ queue }: WorkerUnderTest, { vhost }: Pick<Services, 'vhost'>) {
  return { ready: await vhost.countMessages(queue), dead: await vhost.countMessages(`${queue}.dlq`) }
}

/** Locking a table is a deadlock for PostgreSQL while a worker that has just started makes an index of it. */
export async function untilNoDeadlock(run: () => Promise<unknown>): Promise<void> {
  for (let isDone = false; !isDone; ) {
    try {
      await run()
      isDone = true
    } catch (error) {
      if ((error as { code?: unknown }).code !== '40P01') throw error
    }
  }
}

/** Holds up the worker until it is released: a transaction keeps everybody else from the table. */
export async function lockTable(database: TestDatabase, table: string): Promise<{ release(): Promise<void> }> {
  const client = await database.createPool({ max: 1 }).connect()
  await untilNoDeadlock(async () => {
    await client.query('ROLLBACK')
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  })
  return {
    async release() {
      await client.query('COMMIT')
      client.release()
    },
  }
}

/** Resolves when a statement waits for such a lock. */
export async function untilHeldUp(database: TestDatabase): Promise<void> {
  await waitFor(async () => (await countHeldUp(database)) > 0, { what: 'a statement to wait for the table' })
}

/** Resolves when none does. */
export async function untilNoneHeldUp(database: TestDatabase): Promise<void> {
  await waitFor(async () => (await countHeldUp(database)) === 0, { what: 'no statement to wait for the table' })
}

async function countHeldUp(database: TestDatabase): Promise<number> {
  const rows = await database.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  )
  return rows.length
}

/** 0, 1, 2 … below `count`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
