import { readFile } from 'node:fs/promises'
import { createRecordingLogger, migrate, type TestDatabase, test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createAuditStore } from '../src/audit-store.js'
import { toMonth } from '../src/month.js'
import { createPartitions } from '../src/partitions.js'
import { auditRow } from './audit-row.js'

const now = () => new Date('2025-04-15T12:00:00Z')

test.beforeEach(async ({ database }) => {
  await migrate('audit-worker', database.url)
})

/** A worker with one connection of its own. */
function createWorker(database: TestDatabase) {
  const pool = database.createPool({ max: 1 })
  const logger = createRecordingLogger()
  const partitions = createPartitions({ database: pool, logger, now })
  const record = async (...instants: string[]) => {
    const rows = instants.map((instant) => auditRow({ eventId: instant, occurredAt: new Date(instant) }))
    await partitions.ensure(rows.map(({ occurredAt }) => toMonth(occurredAt)))
    expect(await createAuditStore(pool).recordBatch(rows)).toEqual(new Map())
  }
  return { pool, partitions, record, lines: logger.lines }
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
      expect(place).toBe(`audit.events_${instant.slice(0, 7).replace('-', '_')}`)
    }
    expect(workers.flatMap(({ lines }) => lines)).toEqual([])
  })

  test('a partition has the indexes of the whole, attached to them', async ({ database }) => {
    await createWorker(database).partitions.ensureAhead()
    const indexes = await database.query(
      `SELECT parent.relname FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid JOIN pg_class parent ON parent.oid = inhparent
       WHERE indrelid = 'audit.events_2025_04'::regclass ORDER BY 1`,
    )
    expect(indexes.map(({ relname }) => relname)).toEqual(['events_entity_idx', 'events_pkey', 'events_tenant_idx'])
  })

  test('a month of which the default partition holds events is left there with one warning', async ({ database }) => {
    await createAuditStore(database.createPool()).recordBatch([auditRow({ eventId: 'early' })])
    const worker = createWorker(database)
    await worker.partitions.ensureAhead()
    await worker.record('2025-04-15T00:00:00.000Z', '2025-05-01T00:00:00.000Z')
    await worker.partitions.ensureAhead()
    expect(await findPlaces(database)).toEqual({
      early: 'audit.events_default',
      '2025-04-15T00:00:00.000Z': 'audit.events_default',
      '2025-05-01T00:00:00.000Z': 'audit.events_2025_05',
    })
    expect(worker.lines).toMatchObject([{ level: 'warn', data: { partition: 'events_2025_04' } }])
    expect(await database.query("SELECT to_regclass('audit.events_2025_04') AS leftover")).toEqual([{ leftover: null }])
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
    await createWorker(database).partitions.ensureAhead()
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
    await worker.partitions.ensureAhead()
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
    await expect(worker.partitions.ensure([toMonth(now())])).rejects.toMatchObject({ name: 'DeferError' })
    await reading.query('COMMIT')
    reading.release()
    await worker.record('2025-04-15T00:00:00.000Z')
    expect(Object.values(await findPlaces(database))).toEqual(['audit.events_2025_04'])
  })
})
