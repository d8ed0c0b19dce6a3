import { createRecordingLogger, migrate, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createAuditStore } from '../src/audit-store.js'
import { toMonth } from '../src/month.js'
import { createPartitions } from '../src/partitions.js'
import { keepToRetention } from '../src/retention.js'
import { auditRow } from './audit-row.js'

const now = () => new Date('2025-04-15T12:00:00Z')

test.beforeEach(async ({ database }) => {
  await migrate('audit-worker', database.url)
})

const rowAt = (eventId: string) => {
  const [day = '', kind = 'track'] = eventId.split(' ')
  return auditRow({ eventId, occurredAt: new Date(day), routingKey: `audit.${kind}` })
}

/** Ids are a day and, for a compliance event, that word. */
function createRecorder(database: TestDatabase) {
  const pool = database.createPool({ max: 1 })
  const partitions = createPartitions({ database: pool, logger: createRecordingLogger(), now })
  const store = createAuditStore(pool)
  return async (...ids: string[]) => {
    const rows = ids.map(rowAt)
    await partitions.ensure(rows.map(({ occurredAt }) => toMonth(occurredAt)))
    expect(await store.recordBatch(rows)).toEqual(new Map())
  }
}

function createKeeper(database: TestDatabase, months = 12) {
  const { lines, ...logger } = createRecordingLogger()
  const pool = database.createPool({ max: 2 })
  const { signal } = new AbortController()
  return { lines, keep: () => keepToRetention({ database: pool, logger, months, signal, now }) }
}

const readIds = async (database: TestDatabase, table: string) =>
  (await database.query<{ event_id: string }>(`SELECT event_id FROM ${table} ORDER BY 1`)).map((row) => row.event_id)

const readPartitions = async (database: TestDatabase) =>
  (
    await database.query<{ name: string }>(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit.events'::regclass ORDER BY 1",
    )
  ).map(({ name }) => name)

describe('keepToRetention', () => {
  test('of 36 months the 12 that hold compliance events keep those, 12 are dropped, and 12 stay', async ({
    database,
  }) => {
    const months = Array.from({ length: 36 }, (_, index) =>
      new Date(Date.UTC(2022, 3 + index, 9)).toISOString().slice(0, 10),
    )
    const compliance = months
      .slice(0, 24)
      .filter((_, index) => index % 2 === 0)
      .map((day) => `${day} compliance`)
    const record = createRecorder(database)
    await record(...months, ...compliance, '1990-01-01')
    const { keep, lines } = createKeeper(database)
    await keep()
    const left = ['1990-01-01', ...compliance, ...months.slice(24)].sort()
    expect(await readIds(database, 'audit.events')).toEqual(left)
    expect(await readIds(database, 'audit.event_identities')).toEqual(left)
    expect(await readPartitions(database)).toHaveLength(12 + 12 + 1)
    const found = await database.query("SELECT FROM audit.events WHERE routing_key = 'audit.compliance'")
    expect(found).toHaveLength(12)
    expect(lines.filter(({ level }) => level === 'info').map(({ data }) => data)).toMatchObject([
      { months: 12, partitions: months.slice(0, 24).map((day) => `events_${day.slice(0, 7).replace('-', '_')}`) },
      { deleted: 24, before: '2024-04-01 00:00:00+00' },
    ])
    await keep()
    expect(lines.filter(({ level }) => level === 'info')).toHaveLength(2)
    await record(...months, ...compliance, '1990-01-01')
    expect(await readIds(database, 'audit.events')).toEqual(['1990-01-01', ...compliance, ...months].sort())
    await keep()
    expect(await readIds(database, 'audit.events')).toEqual(left)
  })

  test('what was kept has the indexes of the whole', async ({ database }) => {
    const record = createRecorder(database)
    await record('2024-01-01', '2024-01-01 compliance')
    await createKeeper(database).keep()
    const indexes = await database.query(
      `SELECT parent.relname FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid JOIN pg_class parent ON parent.oid = inhparent
       WHERE indrelid = 'audit.events_2024_01'::regclass ORDER BY 1`,
    )
    expect(indexes.map(({ relname }) => relname)).toEqual(['events_entity_idx', 'events_pkey', 'events_tenant_idx'])
    await record('2024-01-01 compliance', '2024-01-02 compliance')
    await createKeeper(database).keep()
    expect(await readIds(database, 'audit.events_2024_01')).toEqual(['2024-01-01 compliance', '2024-01-02 compliance'])
  })

  test('identities of a month that was dropped by hand are deleted', async ({ database }) => {
    await createRecorder(database)('2024-01-01', '2024-02-01 compliance', '2025-01-01')
    await database.query('DROP TABLE audit.events_2024_01')
    await createKeeper(database).keep()
    expect(await readIds(database, 'audit.event_identities')).toEqual(['2024-02-01 compliance', '2025-01-01'])
  })

  test('eight processes at once drop each month once, while events are recorded', async ({ database }) => {
    const record = createRecorder(database)
    await record('2023-01-01', '2023-02-01', '2023-02-02 compliance', '2025-01-01')
    const keepers = Array.from({ length: 8 }, () => createKeeper(database))
    const days = Array.from({ length: 20 }, (_, index) => `2025-02-${String(index + 1).padStart(2, '0')}`)
    const recording = (async () => {
      for (const day of days) await record(day)
    })()
    await Promise.all([recording, ...keepers.map(({ keep }) => keep())])
    expect(await readIds(database, 'audit.events')).toEqual(['2023-02-02 compliance', '2025-01-01', ...days])
    expect(keepers.flatMap(({ lines }) => lines).filter(({ data }) => data && 'partitions' in data)).toHaveLength(1)
  })

  test('a table that is in use is left as it was, and dropped the next time', async ({ database }) => {
    await createRecorder(database)('2023-01-01', '2023-01-02 compliance')
    const reading = await database.createPool({ max: 1 }).connect()
    await reading.query('BEGIN')
    await reading.query('SELECT FROM audit.events')
    const { keep, lines } = createKeeper(database)
    expect(await keep()).toBe(false)
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { data: { partition: 'events_2023_01', err: { code: '55P03' } } },
    ])
    expect(await readIds(database, 'audit.events')).toEqual(['2023-01-01', '2023-01-02 compliance'])
    await reading.query('COMMIT')
    reading.release()
    expect(await keep()).toBe(true)
    expect(await readIds(database, 'audit.events')).toEqual(['2023-01-02 compliance'])
  })

  test('a process that is killed at whatever statement leaves nothing half done', async ({ database }) => {
    const pool = database.createPool({ max: 2 })
    const record = createRecorder(database)
    const logger = createRecordingLogger()
    const { signal } = new AbortController()
    let interruptions = 0
    for (let statements = 1; ; statements += 1) {
      await record('2023-01-01', '2023-01-02 compliance', '2025-01-01')
      await database.query("UPDATE audit.retention SET swept_before = '-infinity', lease_until = '-infinity'")
      let left = statements
      const killed = {
        query: () => Promise.reject(new Error('killed')),
        async connect() {
          const client = await pool.connect()
          return {
            async query(sql: string, values?: unknown[]) {
              left -= 1
              if (left < 0) throw new Error('killed')
              return await client.query(sql, values)
            },
            release: () => client.release(true),
          }
        },
      }
      const isDone = await keepToRetention({ database: killed, logger, months: 12, signal, now }).catch(() => false)
      const events = await readIds(database, 'audit.events')
      expect(events.filter((id) => id !== '2023-01-01')).toEqual(['2023-01-02 compliance', '2025-01-01'])
      expect(await database.query("SELECT to_regclass('audit.events_2023_01_kept') AS kept")).toEqual([{ kept: null }])
      if (isDone) break
      interruptions += 1
    }
    expect(interruptions).toBeGreaterThan(5)
    expect(await readIds(database, 'audit.events')).toEqual(['2023-01-02 compliance', '2025-01-01'])
    expect(await readIds(database, 'audit.event_identities')).toEqual(['2023-01-02 compliance', '2025-01-01'])
  })

  test('while somebody else holds the lease nothing is done', async ({ database }) => {
    await createRecorder(database)('2023-01-01')
    await database.query("UPDATE audit.retention SET holder = 'other', lease_until = now() + interval '1 min'")
    const { keep, lines } = createKeeper(database)
    expect(await keep()).toBe(false)
    expect(await readIds(database, 'audit.events')).toEqual(['2023-01-01'])
    expect(lines).toEqual([])
  })

  test('a worker keeps to AUDIT_RETENTION_MONTHS from its start, and tells what the default partition holds', async ({
    vhost,
    database,
    workers,
  }) => {
    await createRecorder(database)('2023-01-01', '2023-01-02 compliance', '1990-01-01', '2200-01-01')
    const worker = workers.spawn('audit-worker', {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      AUDIT_RETENTION_MONTHS: '12',
    })
    await worker.ready()
    const left = ['1990-01-01', '2023-01-02 compliance', '2200-01-01']
    await waitFor(async () => (await readIds(database, 'audit.event_identities')).length === left.length, {
      what: 'the old month and its identities to be gone',
    })
    expect(await readIds(database, 'audit.events')).toEqual(left)
    const metrics = await (await fetch(`${worker.httpUrl}/metrics`)).text()
    expect(metrics).toMatch(/^mono_audit_default_rows\{[^}]*\} 2$/m)
    await worker.terminate()
  })
})
