import { readFile } from 'node:fs/promises'
import { createRecordingLogger, migrate, type TestDatabase, test, waitFor } from '@mono/test-support'
import { toDatabaseError } from '@mono/worker-runtime'
import { describe, expect } from 'vitest'
import { fillIdentities } from '../src/fill-identities.js'
import { toMonth } from '../src/month.js'
import { createPartitions } from '../src/partitions.js'

/** A worker without identities wrote these: `twice` three times, and `moved` first in a month and then before all. */
const eventsOf = [
  ['once', '2025-04-01T00:00:00.000Z'],
  ['twice', '2025-05-01T00:00:00.000Z'],
  ['twice', '2025-04-02T00:00:00.000Z'],
  ['twice', '2025-04-03T00:00:00.000Z'],
  ['moved', '2025-05-03T00:00:00.000Z'],
  ['moved', '1990-01-01T00:00:00.000Z'],
  ['late', '2200-01-01T00:00:00.000Z'],
] as const

const identities = `SELECT event_id, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day
  FROM audit.event_identities ORDER BY 1`
const filledIdentities = [
  { event_id: 'late', day: '2200-01-01' },
  { event_id: 'moved', day: '1990-01-01' },
  { event_id: 'once', day: '2025-04-01' },
  { event_id: 'twice', day: '2025-04-02' },
]

/** The statement of the worker that knew nothing of identities. */
const insertBefore = `
  INSERT INTO audit.events
    (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::jsonb[], $9::text[])
  ON CONFLICT DO NOTHING`

const columnsOf = (events: readonly (readonly [string, string])[]) => [
  events.map(() => 42),
  events.map(([eventId]) => eventId),
  events.map(([, time]) => time),
  ...Array.from({ length: 4 }, () => events.map(() => 'x')),
  events.map(() => '{}'),
  events.map(() => 'audit.track'),
]

/** Those of the README's last section. */
async function readUpgradeStatements(): Promise<string[]> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const section = readme.slice(readme.indexOf('## Coming from a version without identities'))
  return Array.from(section.matchAll(/```sql\n([\s\S]*?)```/g), ([, statements = '']) => statements)
}

/** Makes a database as it is when the SQL files have been applied to one with events, and nothing has been filled. */
async function setUp(database: TestDatabase) {
  await migrate('audit-worker', database.url)
  const pool = database.createPool()
  const partitions = createPartitions({
    database: pool,
    logger: createRecordingLogger(),
    now: () => new Date('2025-04-15T12:00:00Z'),
  })
  await partitions.ensure([toMonth(new Date('2025-04-01Z')), toMonth(new Date('2025-05-01Z'))])
  const [goBack = '', comeForward = ''] = await readUpgradeStatements()
  await database.query(goBack)
  await database.query(insertBefore, columnsOf(eventsOf))
  await database.query(comeForward)
  return pool
}

describe('fillIdentities', () => {
  test('gives each event its identity by its earliest time, and tells what is there several times', async ({
    database,
  }) => {
    const pool = await setUp(database)
    const logger = createRecordingLogger()
    const client = await pool.connect()
    await fillIdentities(client, logger)
    expect(await database.query(identities)).toEqual(filledIdentities)
    expect(logger.lines.map(({ level, data }) => [level, data])).toEqual([
      ['info', { partition: 'audit.events_2025_04', events: '3', identities: '2' }],
      ['info', { partition: 'audit.events_2025_05', events: '2', identities: '1' }],
      ['info', { partition: 'audit.events_default', events: '2', identities: '1' }],
      ['warn', { events: '7', double: '3' }],
    ])
    await fillIdentities(client, logger)
    expect(logger.lines).toHaveLength(4)
    client.release()
  })

  test('goes on where it was interrupted, at whatever statement', async ({ database }) => {
    const pool = await setUp(database)
    let interruptions = 0
    for (let statements = 1; ; statements += 1) {
      const client = await pool.connect()
      let left = statements
      const interrupted = {
        async query(sql: string, values?: unknown[]) {
          left -= 1
          if (left < 0) throw new Error('interrupted')
          return await client.query(sql, values)
        },
      }
      const outcome = await fillIdentities(interrupted, createRecordingLogger()).then(
        () => 'done',
        () => 'interrupted',
      )
      client.release(true)
      if (outcome === 'done') break
      interruptions += 1
    }
    expect(interruptions).toBeGreaterThan(3)
    expect(await database.query(identities)).toEqual(filledIdentities)
    expect(await database.query('SELECT partition, events FROM audit.event_identities_filled ORDER BY 1')).toEqual([
      { partition: 'audit.events_2025_04', events: '3' },
      { partition: 'audit.events_2025_05', events: '2' },
      { partition: 'audit.events_default', events: '2' },
    ])
  })

  test('is done once by several processes at once', async ({ database }) => {
    await setUp(database)
    await Promise.all([1, 2, 3].map(() => migrate('audit-worker', database.url)))
    expect(await database.query(identities)).toEqual(filledIdentities)
  })

  test('a worker that starts before it is done is not ready, and says what to run', async ({
    vhost,
    database,
    workers,
  }) => {
    await setUp(database)
    const worker = workers.spawn('audit-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
    const answer = await waitFor(
      async () => {
        const response = await fetch(`${worker.httpUrl}/readyz`).catch(() => undefined)
        const text = await response?.text()
        return text?.includes('migrate.js') && { status: response?.status, text }
      },
      { what: 'the worker to say what it waits for' },
    )
    expect(answer).toMatchObject({
      status: 503,
      text: expect.stringContaining('node apps/audit-worker/dist/migrate.js'),
    })
    await migrate('audit-worker', database.url)
    await worker.ready()
    await worker.terminate()
  })

  test('the statement of a worker that knows no identities is refused as by a database that is not available', async ({
    database,
  }) => {
    await setUp(database)
    const pool = database.createPool({ application_name: 'audit-worker' })
    const inserting = pool.query(insertBefore, columnsOf([['new', '2025-04-01T00:00:00.000Z']]))
    await expect(inserting.catch((error) => Promise.reject(toDatabaseError(error)))).rejects.toMatchObject({
      name: 'DeferError',
      cause: { message: 'Events are inserted together with their identities, by a newer audit-worker' },
    })
  })

  test('what is inserted by hand gets the time of its recording', async ({ database }) => {
    const pool = await setUp(database)
    await pool.query(insertBefore, columnsOf([['new', '2025-04-01T00:00:00.000Z']]))
    const rows = await database.query(
      "SELECT recorded_at > now() - interval '1 minute' AS recent FROM audit.events WHERE event_id = 'new'",
    )
    expect(rows).toEqual([{ recent: true }])
  })
})
