import type { PermanentError } from '@mono/message-queue'
import { migrate, type TestDatabase, test, waitFor } from '@mono/test-support'
import { afterEach, describe, expect, vi } from 'vitest'
import type { AuditRow } from '../src/audit-row.js'
import { createAuditStore } from '../src/audit-store.js'
import { auditRow } from './audit-row.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

const everything = 'SELECT * FROM audit.events ORDER BY event_id'

const countEvents = (database: TestDatabase) =>
  database.query(`SELECT (SELECT count(*)::int FROM audit.events) AS events,
    (SELECT count(*)::int FROM audit.event_identities) AS identities`)

const describeRefused = (refused: ReadonlyMap<AuditRow, PermanentError>) =>
  [...refused].map(([{ eventId }, { code, message }]) => [eventId, code, message])

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
    const refused = await Promise.all(Array.from({ length: 8 }, () => store.recordBatch(rows.toReversed())))
    expect(refused).toEqual(Array(8).fill(new Map()))
    expect(store.sentAgainWithOtherTime).toBe(0)
    expect(await countEvents(database)).toEqual([{ events: 50, identities: 50 }])
  })

  test('batches that hold the same events in other orders do not deadlock', async ({ database }) => {
    const store = createAuditStore(database.createPool({ max: 4 }))
    for (let round = 0; round < 10; round += 1) {
      const rows = Array.from({ length: 500 }, (_, index) => auditRow({ eventId: `event-${round}-${index}` }))
      const reversed = rows.toReversed()
      await Promise.all([rows, reversed, rows, reversed].map((batch) => store.recordBatch(batch)))
    }
    expect(await countEvents(database)).toEqual([{ events: 5000, identities: 5000 }])
  })

  test('the same id is another event in another tenant', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    expect(await store.recordBatch([auditRow(), auditRow({ tenantId: 43, eventType: 'other' })])).toEqual(new Map())
    expect(await database.query(everything)).toHaveLength(2)
  })

  test('the same event with another time is recorded once, with its first time, and counted', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const later = auditRow({ occurredAt: new Date('2025-05-02T00:00:00.000Z') })
    expect(await store.recordBatch([auditRow(), later])).toEqual(new Map())
    expect(await store.recordBatch([later])).toEqual(new Map())
    expect(store.sentAgainWithOtherTime).toBe(2)
    expect(await database.query(everything)).toMatchObject([{ occurred_at: auditRow().occurredAt }])
    expect(await database.query('SELECT * FROM audit.event_identities')).toEqual([
      { tenant_id: '42', event_id: 'event-1', occurred_at: auditRow().occurredAt },
    ])
  })

  test('another event with the id of a recorded one fails alone and by its fields, in the middle of a batch', async ({
    database,
  }) => {
    const store = createAuditStore(database.createPool())
    await store.recordBatch([auditRow({ eventId: 'event-50' })])
    const rows = Array.from({ length: 100 }, (_, index) => auditRow({ eventId: `event-${index}` }))
    const other = auditRow({ eventId: 'event-50', eventType: 'invoice.deleted', changes: '{"status":"open"}' })
    const refused = await store.recordBatch(rows.with(50, other))
    expect(describeRefused(refused)).toEqual([
      ['event-50', 'ID_CONFLICT', 'Another event was recorded with this id, with other eventType, changes'],
    ])
    expect(await database.query(`${everything} LIMIT 100`)).toHaveLength(100)
    expect(await countEvents(database)).toEqual([{ events: 100, identities: 100 }])
  })

  test('of two events with one id in a batch the first that came is recorded', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const rows = ['b', 'a', 'c'].map((eventType) => auditRow({ eventType }))
    const refused = await store.recordBatch(rows)
    expect([...refused.keys()]).toEqual(rows.slice(1))
    expect(await database.query('SELECT event_type FROM audit.events')).toEqual([{ event_type: 'b' }])
  })

  test('an event whose namesake PostgreSQL has refused is recorded', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const rows = [auditRow({ userId: 'zero\u0000byte' }), auditRow(), auditRow()]
    expect([...(await store.recordBatch(rows)).keys()]).toEqual(rows.slice(0, 1))
    expect(await countEvents(database)).toEqual([{ events: 1, identities: 1 }])
  })

  test('a conflict names the fields that differ', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const conflicts: [string, Partial<AuditRow>][] = [
      ['eventType', { eventType: 'other' }],
      ['userId', { userId: 'other' }],
      ['entityType', { entityType: 'other' }],
      ['entityId', { entityId: 'other' }],
      ['changes', { changes: '{"status":"approved","more":1}' }],
      ['routing key', { routingKey: 'audit.compliance' }],
      ['eventType, timestamp', { eventType: 'other', occurredAt: new Date(0) }],
    ]
    const rows = conflicts.map(([, fields]) => auditRow(fields))
    const refused = await store.recordBatch([auditRow(), ...rows])
    expect(rows.map((row) => refused.get(row)?.message)).toEqual(
      conflicts.map(([named]) => `Another event was recorded with this id, with other ${named}`),
    )
    expect(store.sentAgainWithOtherTime).toBe(0)
  })

  test('changes are the same if they are the same values, however they are written', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const [sent, same, other] = [
      '{"a":1.50,"b":[1e2]}',
      '{ "b":[100], "a":15e-1 }',
      '{"a":1.500000000000000000000000001,"b":[100]}',
    ]
    const refused = await store.recordBatch([sent, same, other].map((changes) => auditRow({ changes })))
    expect([...refused.keys()].map(({ changes }) => changes)).toEqual([other])
  })

  test('two processes that record the same id at the same time record it once, and tell what differs', async ({
    database,
  }) => {
    const stores = Array.from({ length: 4 }, () => createAuditStore(database.createPool({ max: 2 })))
    const ids = Array.from({ length: 300 }, (_, index) => `event-${index}`)
    const refused = await Promise.all(
      stores.map((store, number) => {
        const rows = ids.map((eventId) => auditRow({ eventId, eventType: `of process ${number}` }))
        return store.recordBatch(number % 2 === 0 ? rows : rows.toReversed())
      }),
    )
    expect(refused.flatMap((map) => describeRefused(map)).map(([, code]) => code)).toEqual(
      Array(900).fill('ID_CONFLICT'),
    )
    expect(await countEvents(database)).toEqual([{ events: 300, identities: 300 }])
  })

  test('an event that is no longer there is recorded again when it is sent again, and compared from then on', async ({
    database,
  }) => {
    const store = createAuditStore(database.createPool())
    await store.recordBatch([auditRow(), auditRow({ eventId: 'kept' })])
    await database.query("DELETE FROM audit.events WHERE event_id = 'event-1'")
    const other = auditRow({ eventType: 'other' })
    const later = auditRow({ occurredAt: new Date('2025-05-02T00:00:00.000Z') })
    expect(describeRefused(await store.recordBatch([later, auditRow({ eventId: 'kept' }), other]))).toEqual([
      ['event-1', 'ID_CONFLICT', 'Another event was recorded with this id, with other eventType, timestamp'],
    ])
    expect(await countEvents(database)).toEqual([{ events: 2, identities: 2 }])
    expect(await database.query("SELECT occurred_at FROM audit.event_identities WHERE event_id = 'event-1'")).toEqual([
      { occurred_at: later.occurredAt },
    ])
  })

  test('events of a month that was dropped are recorded once, when eight processes are sent them again at once', async ({
    database,
  }) => {
    const stores = Array.from({ length: 8 }, () => createAuditStore(database.createPool({ max: 1 })))
    const rows = Array.from({ length: 50 }, (_, index) => auditRow({ eventId: `event-${index}` }))
    await stores[0]?.recordBatch(rows)
    await database.query('TRUNCATE audit.events')
    const refused = await Promise.all(stores.map((store) => store.recordBatch(rows)))
    expect(refused).toEqual(Array(8).fill(new Map()))
    expect(await countEvents(database)).toEqual([{ events: 50, identities: 50 }])
  })

  test('an event that has lost its identity gets one, and is compared', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    await store.recordBatch([auditRow()])
    await database.query('DELETE FROM audit.event_identities')
    const rows = [auditRow(), auditRow({ eventType: 'other' })]
    expect([...(await store.recordBatch(rows)).keys()]).toEqual(rows.slice(1))
    expect(await countEvents(database)).toEqual([{ events: 1, identities: 1 }])
  })

  test('numbers keep their digits', async ({ database }) => {
    const numbers = '[9007199254740993, 12345678901234567.89, 1.50, 123456789012345678901234567890]'
    await createAuditStore(database.createPool()).recordBatch([auditRow({ changes: `{"numbers":${numbers}}` })])
    expect(await database.query("SELECT changes->>'numbers' AS numbers FROM audit.events")).toEqual([{ numbers }])
  })

  test('numbers that no numeric can hold are refused, and change no other', async ({ database }) => {
    const store = createAuditStore(database.createPool())
    const rows = ['1', '1e-16383', '1e-16384', '1e200000'].map((number, index) =>
      auditRow({ eventId: `event-${index}`, changes: `{"number":${number}}` }),
    )
    expect(describeRefused(await store.recordBatch(rows)).map(([eventId, code]) => [eventId, code])).toEqual([
      ['event-2', 'INVALID_MESSAGE'],
      ['event-3', 'INVALID_MESSAGE'],
    ])
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
