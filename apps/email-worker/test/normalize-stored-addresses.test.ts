import { createRecordingLogger, migrate, type TestDatabase, test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { normalizeStoredAddresses } from '../src/normalize-stored-addresses.js'

/** As a worker that knows no normal form has left them: message, recipient, state. */
const deliveries = [
  ['m1', 'ada@example.com', 'sent'],
  ['m1', 'bob@ｅxample.com', 'sent'],
  ['m2', 'bob@example.com', 'retry'],
  ['m2', 'bob@ｅxample.com', 'sent'],
  ['m2', 'bob@ｅｘample.com', 'failed'],
  ['m3', 'bob@example.com', 'sent'],
  ['m3', 'bob@ｅxample.com', 'failed'],
  ['m4', 'bob@example.com', 'failed'],
  ['m4', 'bob@ｅxample.com', 'unknown'],
  ['m5', 'bob@example.com', 'retry'],
  ['m5', 'bob@ｅxample.com', 'failed'],
  ['m6', 'info@bücher.example', 'retry'],
  ['m6', 'rene\u0301@example.com', 'retry'],
  ['m6', 'ren\u00e9@example.com', 'sent'],
  ['m7', 'nobody@ü%41.example', 'failed'],
  ['m8', 'bob@example.com', 'retry'],
  ['m8', 'bob@ｅxample.com', 'over'],
  ['m9', 'bob@ｅxample.com', 'leased'],
  ['m9', 'info@bücher.example', 'sent'],
] as const

const normalDeliveries = [
  'm1 ada@example.com sent',
  'm1 bob@example.com sent',
  'm2 bob@example.com sent',
  'm3 bob@example.com sent',
  'm4 bob@example.com unknown',
  'm5 bob@example.com failed',
  'm6 info@xn--bcher-kva.example retry',
  'm6 ren\u00e9@example.com sent',
  'm7 nobody@ü%41.example failed',
  'm8 bob@example.com sending',
  'm9 bob@ｅxample.com sending',
  'm9 info@xn--bcher-kva.example sent',
]

/** Address, reason, day. */
const suppressions = [
  ['ada@example.com', 'plain', 1],
  ['bob@example.com', 'second', 2],
  ['bob@ｅxample.com', 'first', 1],
  ['bob@ｅｘample.com', 'third', 3],
  ['eve@example.com', 'first', 1],
  ['eve@ｅxample.com', 'second', 2],
  ['info@bücher.example', 'alone', 4],
  ['no address, ü', 'odd', 1],
] as const

const normalSuppressions = [
  'ada@example.com plain 1',
  'bob@example.com first 1',
  'eve@example.com first 1',
  'info@xn--bcher-kva.example alone 4',
  'no address, ü odd 1',
]

async function setUp(database: TestDatabase) {
  await migrate('email-worker', database.url)
  await database.query('CREATE TABLE email.normalizing (tenant_id bigint, message_id text, recipient text)')
  await database.query("INSERT INTO email.normalizing VALUES (0, '', '')")
  for (const [message, recipient, state] of deliveries) {
    const isClaimed = state === 'over' || state === 'leased'
    await database.query(
      `INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, lease_until)
       VALUES (42, $1, $2, $3, 1, now() + $4::interval)`,
      [message, recipient, isClaimed ? 'sending' : state, isClaimed ? (state === 'over' ? '-1 hour' : '1 hour') : null],
    )
  }
  for (const [address, reason, day] of suppressions) {
    await database.query('INSERT INTO email.suppressions VALUES (42, $1, $2, make_date(2026, 1, $3))', [
      address,
      reason,
      day,
    ])
  }
  // Another tenant's are its own.
  await database.query("INSERT INTO email.suppressions VALUES (43, 'bob@ｅxample.com', 'other')")
  return database.createPool()
}

async function readAll(database: TestDatabase) {
  const sent = await database.query(
    `SELECT concat_ws(' ', message_id, recipient, state) AS row FROM email.deliveries ORDER BY message_id, recipient COLLATE "C"`,
  )
  const suppressed = await database.query(
    `SELECT concat_ws(' ', address, reason, extract(day FROM created_at)) AS row FROM email.suppressions
     WHERE tenant_id = 42 ORDER BY address COLLATE "C"`,
  )
  const [left] = await database.query("SELECT to_regclass('email.normalizing') AS table")
  return { deliveries: sent.map(({ row }) => row), suppressions: suppressed.map(({ row }) => row), left: left?.table }
}

const normal = { deliveries: normalDeliveries, suppressions: normalSuppressions, left: null }

describe('normalizeStoredAddresses', () => {
  test('keeps of several spellings the row that says most, and the suppression that came first', async ({
    database,
  }) => {
    const pool = await setUp(database)
    const logger = createRecordingLogger()
    const client = await pool.connect()
    await normalizeStoredAddresses(client, logger)
    expect(await readAll(database)).toEqual(normal)
    expect(logger.lines).toMatchObject([{ level: 'info', data: { suppressions: 5, deliveries: 14 } }])
    await normalizeStoredAddresses(client, logger)
    expect(logger.lines).toHaveLength(1)
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
      const outcome = await normalizeStoredAddresses(interrupted, createRecordingLogger()).then(
        () => 'done',
        () => 'interrupted',
      )
      client.release(true)
      if (outcome === 'done') break
      interruptions += 1
    }
    expect(interruptions).toBeGreaterThan(10)
    expect(await readAll(database)).toEqual(normal)
  })

  test('is done once by several processes at once', async ({ database }) => {
    await setUp(database)
    await Promise.all([1, 2, 3].map(() => migrate('email-worker', database.url)))
    expect(await readAll(database)).toEqual(normal)
  })

  test('goes through more rows than a batch has', async ({ database }) => {
    const pool = await setUp(database)
    await database.query(
      `
      INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts)
      SELECT 41 + n % 3, 'many', 'user-' || n || CASE WHEN n % 2 = 0 THEN '@ｅxample.com' ELSE '@example.com' END, 'sent', 1
      FROM generate_series(1, 50000) AS n`,
    )
    const client = await pool.connect()
    await normalizeStoredAddresses(client, createRecordingLogger())
    client.release()
    const [counted] = await database.query(
      "SELECT count(*)::int AS rows, count(*) FILTER (WHERE email.needs_normalizing(recipient))::int AS left FROM email.deliveries WHERE message_id = 'many'",
    )
    expect(counted).toEqual({ rows: 50_000, left: 0 })
  })
})

test('rows that need it are found by an index', async ({ database }) => {
  await setUp(database)
  await database.query(
    "INSERT INTO email.suppressions SELECT 42, 'user-' || n || '@example.com', 'x' FROM generate_series(1, 20000) AS n",
  )
  await database.query('ANALYZE email.suppressions')
  const plan = await database.query(
    'EXPLAIN SELECT address FROM email.suppressions WHERE tenant_id = 42 AND email.needs_normalizing(address)',
  )
  expect(JSON.stringify(plan)).toContain('suppressions_to_normalize_idx')
})
