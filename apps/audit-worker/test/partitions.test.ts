import { readFile } from 'node:fs/promises'
import { RetryableError } from '@mono/message-queue'
import { createRecordingLogger, migrate, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createAuditStore } from '../src/audit-store.js'
import type { Database } from '../src/database.js'
import { toMonth } from '../src/month.js'
import { createPartitions } from '../src/partitions.js'
import { auditRow } from './audit-row.js'

test.beforeEach(async ({ database }) => {
  await migrate('audit-worker', database.url)
})

/** A worker with one connection of its own. */
function createWorker(database: TestDatabase, { now = () => new Date('2025-04-15T12:00:00Z') } = {}) {
  const pool = database.createPool({ max: 1 })
  const logger = createRecordingLogger()
  const partitions = createPartitions({ database: pool, logger, now })
  const record = async (...instants: string[]) => {
    const rows = instants.map(rowAt)
    await partitions.ensure(rows.map(({ occurredAt }) => toMonth(occurredAt)))
    expect(await createAuditStore(pool).recordBatch(rows)).toEqual(new Map())
  }
  return { pool, partitions, record, lines: logger.lines }
}

const placeOf = (instant: string) => `audit.events_${instant.slice(0, 7).replace('-', '_')}`

const rowAt = (instant: string) => auditRow({ eventId: instant, occurredAt: new Date(instant) })

/** Records events without making any partition. */
async function recordUnprepared(database: TestDatabase, ...instants: string[]): Promise<void> {
  expect(await createAuditStore(database.createPool({ max: 1 })).recordBatch(instants.map(rowAt))).toEqual(new Map())
}

/** As the queue does: what is refused by the partition it was on its way to is delivered again. */
async function recordUntilDone(pool: Database, instant: string): Promise<void> {
  await waitFor(
    () =>
      createAuditStore(pool)
        .recordBatch([rowAt(instant)])
        .then((refused) => refused.size === 0)
        .catch((error: unknown) => {
          if (error instanceof RetryableError) return false
          throw error
        }),
    { what: 'the event to be recorded', intervalMs: 1 },
  )
}

async function untilWaiting(database: TestDatabase, count: number): Promise<void> {
  const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  await waitFor(async () => (await database.query(waiting)).length === count, {
    what: `${count} connections to wait for a lock`,
    intervalMs: 10,
  })
}

async function findPlaces(database: TestDatabase): Promise<Record<string, string>> {
  const rows = await database.query<{ event_id: string; place: string }>(
    'SELECT event_id, tableoid::regclass::text AS place FROM audit.events',
  )
  return Object.fromEntries(rows.map(({ event_id, place }) => [event_id, place]))
}

describe('partitions', () => {
  test('an event is recorded in the partition of its month', async ({ database }) => {
    const worker = createWorker(database)
    await worker.record('2025-04-15T00:00:00.000Z', '2024-02-29T00:00:00.000Z', '2025-05-31T00:00:00.000Z')
    expect(await findPlaces(database)).toEqual({
      '2025-04-15T00:00:00.000Z': 'audit.events_2025_04',
      '2024-02-29T00:00:00.000Z': 'audit.events_2024_02',
      '2025-05-31T00:00:00.000Z': 'audit.events_2025_05',
    })
  })

  test('events of 1990 and 2200 are recorded in the default partition', async ({ database }) => {
    await createWorker(database).record('1990-01-01T00:00:00.000Z', '2200-01-01T00:00:00.000Z')
    expect(await findPlaces(database)).toEqual({
      '1990-01-01T00:00:00.000Z': 'audit.events_default',
      '2200-01-01T00:00:00.000Z': 'audit.events_default',
    })
  })

  test('a month begins at midnight UTC, whatever the time zone of the session that makes it', async ({ database }) => {
    await database.query(`ALTER DATABASE ${database.name} SET TimeZone = 'Pacific/Auckland'`)
    const worker = createWorker(database)
    expect((await worker.pool.query('SHOW TimeZone')).rows).toEqual([{ TimeZone: 'Pacific/Auckland' }])
    await worker.record('2025-02-28T23:59:59.999Z', '2025-03-01T00:00:00.000Z', '2025-03-31T23:59:59.999Z')
    expect(await findPlaces(database)).toEqual({
      '2025-02-28T23:59:59.999Z': 'audit.events_2025_02',
      '2025-03-01T00:00:00.000Z': 'audit.events_2025_03',
      '2025-03-31T23:59:59.999Z': 'audit.events_2025_03',
    })
  })

  test('workers on eight connections that need the same months at once all succeed', async ({ database }) => {
    const workers = Array.from({ length: 8 }, () => createWorker(database))
    await Promise.all(workers.map(({ pool }) => pool.query('SELECT 1')))
    const months = Array.from({ length: 12 }, (_, index) => `2024-${String(index + 1).padStart(2, '0')}`)
    await Promise.all(
      workers.map(({ record }, index) => record(...months.map((month) => `${month}-0${index + 1}T00:00:00.000Z`))),
    )
    const places = await findPlaces(database)
    expect(Object.keys(places)).toHaveLength(96)
    for (const [instant, place] of Object.entries(places)) {
      expect(place).toBe(placeOf(instant))
    }
    expect(workers.flatMap(({ lines }) => lines)).toEqual([])
  })

  test('a partition has the indexes of the whole, attached to them', async ({ database }) => {
    await createWorker(database).partitions.ensureDue()
    const indexes = await database.query(
      `SELECT parent.relname FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid JOIN pg_class parent ON parent.oid = inhparent
       WHERE indrelid = 'audit.events_2025_04'::regclass ORDER BY 1`,
    )
    expect(indexes.map(({ relname }) => relname)).toEqual(['events_entity_idx', 'events_pkey', 'events_tenant_idx'])
  })

  test('events dated in 23 months ahead get the partitions of their months, when those come', async ({ database }) => {
    const instants = Array.from({ length: 23 }, (_, index) => new Date(Date.UTC(2025, 4 + index, 7)).toISOString())
    const worker = createWorker(database)
    await worker.partitions.ensureDue()
    await worker.record(...instants)
    expect(Object.values(await findPlaces(database)).filter((place) => place === 'audit.events_default')).toHaveLength(
      22,
    )
    expect(await worker.partitions.countInDefault()).toBe(22)
    for (const instant of instants) {
      const { partitions, lines } = createWorker(database, { now: () => new Date(instant) })
      await partitions.ensureDue()
      expect(lines).toEqual([])
    }
    expect(await findPlaces(database)).toEqual(
      Object.fromEntries(instants.map((instant) => [instant, placeOf(instant)])),
    )
    await worker.record(...instants)
    expect(await worker.partitions.countInDefault()).toBe(0)
  })

  test('what was left in the default partition for months that are over is moved too', async ({ database }) => {
    const instants = ['2015-04-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z', '2025-03-01T00:00:00.000Z']
    const others = ['2015-03-31T23:59:59.999Z', '2025-06-01T00:00:00.000Z']
    await recordUnprepared(database, ...instants, ...others)
    const { partitions, lines } = createWorker(database)
    await partitions.ensureDue()
    const places = await findPlaces(database)
    for (const instant of instants) expect(places[instant]).toBe(placeOf(instant))
    for (const instant of others) expect(places[instant]).toBe('audit.events_default')
    expect(lines).toEqual([])
  })

  test('eight workers that move a month at once, while others record events of it, lose none and double none', async ({
    database,
  }) => {
    const days = Array.from({ length: 28 }, (_, index) => `2025-04-${String(index + 1).padStart(2, '0')}`)
    const at = (time: string) => days.map((day) => `${day}T${time}:00.000Z`)
    await recordUnprepared(database, ...at('01:00'))
    const movers = Array.from({ length: 8 }, () => createWorker(database))
    const recorders = Array.from({ length: 4 }, () => database.createPool({ max: 1 }))
    await Promise.all([...movers, ...recorders.map((pool) => ({ pool }))].map(({ pool }) => pool.query('SELECT 1')))
    const recorded = recorders.map(async (pool, index) => {
      for (const instant of at(`1${index}:00`)) await recordUntilDone(pool, instant)
    })
    await Promise.all([...recorded, ...movers.map(({ partitions }) => partitions.ensureDue())])
    const rows = await database.query<{ place: string; count: number }>(
      'SELECT tableoid::regclass::text AS place, count(*)::int FROM audit.events GROUP BY 1',
    )
    expect(rows).toEqual([{ place: 'audit.events_2025_04', count: 5 * 28 }])
    expect(movers.flatMap(({ lines }) => lines)).toEqual([])
  })

  test('a query that waits while a month is moved finds all its events', async ({ database }) => {
    await recordUnprepared(database, '2025-04-02T00:00:00.000Z', '2025-04-03T00:00:00.000Z')
    const worker = createWorker(database)
    const holding = await database.createPool({ max: 1 }).connect()
    await holding.query('BEGIN; LOCK TABLE ONLY audit.events IN SHARE UPDATE EXCLUSIVE MODE')
    const making = worker.partitions.ensureDue()
    await untilWaiting(database, 1)
    const counting = database.createPool({ max: 1 }).query('SELECT count(*)::int FROM audit.events')
    await untilWaiting(database, 2)
    await holding.query('COMMIT')
    holding.release()
    await making
    expect((await counting).rows).toEqual([{ count: 2 }])
    expect(Object.values(await findPlaces(database))).toEqual(Array(2).fill('audit.events_2025_04'))
  })

  test('a worker that is killed when it has moved a month leaves all where it was', async ({ database }) => {
    await recordUnprepared(database, '2025-04-02T00:00:00.000Z', '2025-04-03T00:00:00.000Z')
    await database.query(
      `CREATE FUNCTION audit.wait() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
       CREATE TRIGGER wait AFTER DELETE ON audit.events_default EXECUTE FUNCTION audit.wait()`,
    )
    const worker = createWorker(database)
    const [own] = (await worker.pool.query('SELECT pg_backend_pid() AS pid')).rows as { pid: number }[]
    const holding = await database.createPool({ max: 1 }).connect()
    await holding.query('BEGIN; SELECT pg_advisory_xact_lock(1)')
    const making = worker.partitions.ensureDue().then(
      () => 'done',
      (error: Error) => error.name,
    )
    await untilWaiting(database, 1)
    await database.query('SELECT pg_terminate_backend($1, 5000)', [own?.pid])
    expect(await making).toBe('DeferError')
    expect(Object.values(await findPlaces(database))).toEqual(Array(2).fill('audit.events_default'))
    await holding.query('COMMIT')
    holding.release()
    await worker.partitions.ensureDue()
    expect(Object.values(await findPlaces(database))).toEqual(Array(2).fill('audit.events_2025_04'))
  })

  test('what cannot be moved for a lock stays until the next look, and its month is recorded meanwhile', async ({
    database,
  }) => {
    await recordUnprepared(database, '2025-04-02T00:00:00.000Z')
    const worker = createWorker(database)
    const reading = await database.createPool({ max: 1 }).connect()
    await reading.query('BEGIN')
    await reading.query('SELECT FROM audit.events')
    await worker.record('2025-04-03T00:00:00.000Z')
    expect(Object.values(await findPlaces(database))).toEqual(Array(2).fill('audit.events_default'))
    expect(worker.lines).toMatchObject([{ level: 'warn', data: { partition: 'events_2025_04' } }])
    await reading.query('COMMIT')
    reading.release()
    await worker.partitions.ensureDue()
    expect(Object.values(await findPlaces(database))).toEqual(Array(2).fill('audit.events_2025_04'))
  })

  test.for([
    ['10,001 events', 10, 10_001],
    ['ten events of 8 MB', 8_000_000, 10],
  ] as const)(
    '%s of one month stay in the default partition, with one warning',
    async ([, size, count], { database }) => {
      await recordUnprepared(database, '2025-04-02T00:00:00.000Z')
      // Not compressed.
      await database.query('ALTER TABLE audit.events_default ALTER changes SET STORAGE EXTERNAL')
      await database.query(
        `INSERT INTO audit.events_default
         SELECT tenant_id, number::text, occurred_at, event_type, user_id, entity_type, entity_id,
           jsonb_build_object('text', repeat('x', $2)), routing_key, recorded_at
         FROM audit.events_default, generate_series(1, $1 - 1) AS number`,
        [count, size],
      )
      const worker = createWorker(database)
      await worker.partitions.ensureDue()
      await worker.partitions.ensureDue()
      await worker.record('2025-04-15T00:00:00.000Z', '2025-05-01T00:00:00.000Z')
      expect(worker.lines).toMatchObject([
        {
          level: 'warn',
          data: { partition: 'events_2025_04', reason: 'the default partition holds more of it than is moved at once' },
        },
      ])
      expect(await worker.partitions.countInDefault()).toBe(count + 1)
      expect((await findPlaces(database))['2025-05-01T00:00:00.000Z']).toBe('audit.events_2025_05')
      expect(await database.query("SELECT to_regclass('audit.events_2025_04') AS leftover")).toEqual([
        { leftover: null },
      ])
    },
  )

  test('10,000 events of one month are moved', async ({ database }) => {
    await recordUnprepared(database, '2025-04-02T00:00:00.000Z')
    await database.query(
      `INSERT INTO audit.events_default
       SELECT tenant_id, number::text, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key,
         recorded_at
       FROM audit.events_default, generate_series(1, 9999) AS number`,
    )
    const worker = createWorker(database)
    await worker.partitions.ensureDue()
    expect(await worker.partitions.countInDefault()).toBe(0)
    expect(await database.query('SELECT count(*)::int FROM audit.events_2025_04')).toEqual([{ count: 10_000 }])
  })

  test('a month that is dropped by hand is made again for a late event, by a worker that knew it', async ({
    database,
  }) => {
    const worker = createWorker(database)
    await worker.record('2024-01-15T00:00:00.000Z', '2024-02-15T00:00:00.000Z')
    await database.query('DROP TABLE audit.events_2024_01')
    await worker.record('2024-02-16T00:00:00.000Z', '2024-01-16T00:00:00.000Z')
    expect(await findPlaces(database)).toEqual({
      '2024-01-16T00:00:00.000Z': 'audit.events_2024_01',
      '2024-02-15T00:00:00.000Z': 'audit.events_2024_02',
      '2024-02-16T00:00:00.000Z': 'audit.events_2024_02',
    })
    expect(worker.lines).toEqual([])
  })

  test('the remedy in the README gives such a month its partition', async ({ database }) => {
    await createAuditStore(database.createPool()).recordBatch([auditRow({ eventId: 'early' })])
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const remedy = /```sql\n([\s\S]*?)```/.exec(readme)?.[1] ?? 'no remedy'
    await database.query(`SET TimeZone = 'Asia/Tokyo'; ${remedy}`)
    const worker = createWorker(database)
    await worker.record('2025-04-01T00:00:00.000Z', '2025-04-30T23:59:59.999Z')
    expect(Object.values(await findPlaces(database))).toEqual(Array(3).fill('audit.events_2025_04'))
    expect(worker.lines).toEqual([])
  })

  test('a partition that was detached is not attached again', async ({ database }) => {
    await createWorker(database).partitions.ensureDue()
    await database.query('ALTER TABLE audit.events DETACH PARTITION audit.events_2025_04')
    const worker = createWorker(database)
    await worker.record('2025-04-15T00:00:00.000Z')
    expect(await findPlaces(database)).toEqual({ '2025-04-15T00:00:00.000Z': 'audit.events_default' })
    expect(worker.lines).toMatchObject([
      { level: 'warn', data: { reason: 'a table of that name exists and is not attached' } },
    ])
  })

  test('open inserts into other partitions do not hold up a new one', async ({ database }) => {
    const worker = createWorker(database)
    await worker.partitions.ensureDue()
    const inserting = await database.createPool({ max: 1 }).connect()
    await inserting.query('BEGIN')
    await createAuditStore(inserting).recordBatch([auditRow()])
    await worker.record('2024-01-15T00:00:00.000Z')
    await inserting.query('COMMIT')
    inserting.release()
    expect(Object.values(await findPlaces(database)).sort()).toEqual(['audit.events_2024_01', 'audit.events_2025_04'])
  })

  test('a default partition that stays locked defers the batch, and leaves nothing behind', async ({ database }) => {
    const worker = createWorker(database)
    const reading = await database.createPool({ max: 1 }).connect()
    await reading.query('BEGIN')
    await reading.query('SELECT FROM audit.events_default')
    await expect(worker.partitions.ensure([toMonth(new Date('2025-04-15T00:00:00Z'))])).rejects.toMatchObject({
      name: 'DeferError',
    })
    await reading.query('COMMIT')
    reading.release()
    await worker.record('2025-04-15T00:00:00.000Z')
    expect(Object.values(await findPlaces(database))).toEqual(['audit.events_2025_04'])
  })
})
