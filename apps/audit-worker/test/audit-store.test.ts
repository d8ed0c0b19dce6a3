import { migrate, test, waitFor } from '@mono/test-support'
import { afterEach, describe, expect, vi } from 'vitest'
import { createAuditStore } from '../src/audit-store.js'
import { auditRow } from './audit-row.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

const everything = 'SELECT * FROM audit.events ORDER BY event_id'

test.beforeEach(async ({ database }) => {
  await migrate('audit-worker', database.url)
})

describe('recordBatch', () => {
  test('every column is stored as it came', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const row = auditRow({
      tenantId: Number.MAX_SAFE_INTEGER,
      eventId: 'tab\tquote"\'\\{},NULL',
      changes: '{"a":["\\\\","\\"",{},null,"NULL",1.5],"":"ü€😀"}',
      routingKey: 'audit.compliance',
    })
    expect(await store.recordBatch([row])).toEqual(new Map())
    expect(await database.query(everything)).toEqual([
      {
        tenant_id: '9007199254740991',
        event_id: row.eventId,
        occurred_at: row.occurredAt,
        event_type: row.eventType,
        user_id: row.userId,
        entity_type: row.entityType,
        entity_id: row.entityId,
        changes: JSON.parse(row.changes),
        routing_key: 'audit.compliance',
        recorded_at: expect.any(Date),
      },
    ])
  })

  test('an event is recorded once, be it twice in a batch, in two batches or in many at once', async ({ database }) => {
    const store = createAuditStore(database.createPool({ max: 8 }))
    const rows = Array.from({ length: 50 }, (_, index) => auditRow({ eventId: `event-${index}` }))
    expect(await store.recordBatch([...rows, ...rows])).toEqual(new Map())
    const others = rows.map((row) => ({ ...row, eventType: 'changed' }))
    const refused = await Promise.all(Array.from({ length: 8 }, () => store.recordBatch(others)))
    expect(refused).toEqual(Array(8).fill(new Map()))
    expect(await database.query('SELECT count(*)::int, min(event_type), max(event_type) FROM audit.events')).toEqual([
      { count: 50, min: 'invoice.approved', max: 'invoice.approved' },
    ])
  })

  test('batches that hold the same events in other orders do not deadlock', async ({ database }) => {
    const store = createAuditStore(database.createPool({ max: 4 }))
    for (let round = 0; round < 10; round += 1) {
      const rows = Array.from({ length: 500 }, (_, index) => auditRow({ eventId: `event-${round}-${index}` }))
      const reversed = rows.toReversed()
      await Promise.all([rows, reversed, rows, reversed].map((batch) => store.recordBatch(batch)))
    }
    expect(await database.query('SELECT count(*)::int FROM audit.events')).toEqual([{ count: 5000 }])
  })

  test('the same id is another event in another tenant, and at another time', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    await store.recordBatch([
      auditRow(),
      auditRow({ tenantId: 43 }),
      auditRow({ occurredAt: new Date('2025-04-01T09:30:00.251Z') }),
    ])
    expect(await database.query(everything)).toHaveLength(3)
  })

  test('each event that PostgreSQL refuses fails alone, and all others are recorded', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    // None of these gets past the contracts.
    const bad = {
      'event-3': { changes: '{"text":"\\u0000"}' },
      'event-4': { changes: '{"text":"\\ud800"}' },
      'event-60': { userId: 'zero\u0000byte' },
      'event-77': { changes: `${'['.repeat(20_000)}${']'.repeat(20_000)}` },
      'event-99': { occurredAt: new Date('0000-06-01T00:00:00Z') },
    }
    const rows = Array.from({ length: 100 }, (_, index) => {
      const eventId = `event-${index}`
      return auditRow({ eventId, ...bad[eventId as keyof typeof bad] })
    })
    const refused = await store.recordBatch(rows)
    const codes = [...refused].map(([{ eventId }, error]) => [
      eventId,
      /\((\w+)\)$/.exec(error.message)?.[1],
      error.code,
    ])
    expect(codes).toEqual([
      ['event-3', '22P05', 'INVALID_MESSAGE'],
      ['event-4', '22P02', 'INVALID_MESSAGE'],
      ['event-60', '22021', 'INVALID_MESSAGE'],
      ['event-77', '54001', 'INVALID_MESSAGE'],
      ['event-99', '22008', 'INVALID_MESSAGE'],
    ])
    expect(await database.query(everything)).toHaveLength(95)
  })

  test('a database that is gone fails the whole batch with DeferError', async ({ database }) => {
    const pool = database.createPool()
    await pool.query('SELECT 1')
    await database.query(`DROP TABLE audit.events`)
    await expect(createAuditStore(pool).recordBatch([auditRow()])).rejects.toMatchObject({
      name: 'DeferError',
      code: 'DATABASE_UNAVAILABLE',
    })
  })

  test('times are exact to the millisecond whatever the time zones of process and session', async ({ database }) => {
    vi.stubEnv('TZ', 'America/New_York')
    const pool = database.createPool({ options: '-c TimeZone=Asia/Kathmandu' })
    // In 1883 New York was 4:56:02 behind UTC.
    const instants = ['1883-11-18T16:00:00.001Z', '2025-07-01T00:00:00.999Z', '9999-12-31T23:59:59.999Z']
    await createAuditStore(pool).recordBatch(
      instants.map((instant, index) => auditRow({ eventId: String(index), occurredAt: new Date(instant) })),
    )
    const stored = await database.query(
      `SELECT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS instant
       FROM audit.events ORDER BY event_id`,
    )
    expect(stored.map(({ instant }) => instant)).toEqual(instants)
  })

  test('an event overtaken by the partition of its month is tried again, not blamed', async ({ database }) => {
    const pool = database.createPool()
    const attaching = await pool.connect()
    await attaching.query('BEGIN')
    await attaching.query('CREATE TABLE audit.events_2025_04 (LIKE audit.events INCLUDING ALL)')
    await attaching.query(`ALTER TABLE audit.events ATTACH PARTITION audit.events_2025_04
      FOR VALUES FROM ('2025-04-01 00:00:00+00') TO ('2025-05-01 00:00:00+00')`)
    const recording = createAuditStore(pool).recordBatch([auditRow()])
    const outcome = expect(recording).rejects.toMatchObject({ name: 'RetryableError' })
    await waitFor(
      () =>
        database
          .query(
            'SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()',
          )
          .then((locks) => locks.length > 0),
      {
        what: 'the insert to wait for the default partition',
      },
    )
    await attaching.query('COMMIT')
    attaching.release()
    await outcome
  })
})
