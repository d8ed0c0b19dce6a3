import { createRecordingLogger, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { LedgerRetention } from '../src/ledger-retention.js'
import type { LedgerRetentionOptions, RetentionDatabase } from '../src/retention-options.js'
import { openLedger } from './support/open-ledger.js'

const fast = { pollMs: 20, stepRows: 10, pauseMs: 1 }

type CleanUp = (release: () => Promise<unknown>) => void

interface SetUpOptions extends Partial<LedgerRetentionOptions> {
  database: TestDatabase
  cleanUp: CleanUp
}

/** As the pool of worker-runtime, which has a way to connect beside it. */
function openPool(database: TestDatabase, limits: Parameters<TestDatabase['createPool']>[0] = {}): RetentionDatabase {
  const pool = database.createPool(limits)
  const beside = database.createPool()
  return {
    query: (sql, values) => pool.query(sql, values),
    async connectAlone() {
      const client = await beside.connect()
      let release = () => client.release(true)
      const end = async () => {
        release()
        release = () => undefined
      }
      return { query: (query) => client.query(query), end }
    },
  }
}

function start({ database, cleanUp, pool = openPool(database), ...options }: SetUpOptions) {
  const logger = createRecordingLogger()
  const retention = new LedgerRetention({
    pool,
    table: 'email.deliveries',
    days: 30,
    logger,
    pace: fast,
    ...options,
  })
  retention.start()
  cleanUp(() => retention.stop())
  const said = (text: RegExp) => logger.lines.filter(({ message }) => text.test(message))
  return { retention, logger, said }
}

const insertRows = (database: TestDatabase, { state, age, count }: { state: string; age: string; count: number }) =>
  database.query(
    `INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, lease_until, updated_at)
     SELECT 1, '${state} ' || n, '${age}', '${state}', 1, now() - interval '1 day', now() - interval '${age}' - n * interval '1 ms'
     FROM generate_series(1, ${count}) AS n`,
  )

const countRows = async (database: TestDatabase) => {
  const sql = 'SELECT state, recipient AS age, count(*)::int FROM email.deliveries GROUP BY 1, 2 ORDER BY 1, 2'
  const rows = await database.query<{ state: string; age: string; count: number }>(sql)
  return rows.map(({ state, age, count }) => `${count} ${state} ${age}`)
}

const readIndexes = async (database: TestDatabase) => {
  const sql = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('email.deliveries_finished_idx')`
  return (await database.query<{ valid: boolean }>(sql)).map(({ valid }) => valid)
}

const endLease = (database: TestDatabase) =>
  database.query("UPDATE email.leases SET lease_until = now() - interval '1 second'")

describe('what was finished long ago', () => {
  test('is deleted, and nothing else is, and the log says how much there was', async ({ database, cleanUp }) => {
    await openLedger(database)
    for (const state of ['sent', 'failed', 'unknown', 'retry', 'sending']) {
      await insertRows(database, { state, age: '31 days', count: 25 })
      await insertRows(database, { state, age: '29 days', count: 2 })
    }
    const { retention, said } = start({ database, cleanUp })
    await waitFor(() => said(/are deleted/).length > 0, { what: 'the rows to be deleted' })
    expect(new Set(await countRows(database))).toEqual(
      new Set([
        '2 failed 29 days',
        '25 retry 31 days',
        '2 retry 29 days',
        '25 sending 31 days',
        '2 sending 29 days',
        '2 sent 29 days',
        '2 unknown 29 days',
      ]),
    )
    expect(said(/^Deleting/)).toMatchObject([{ level: 'info', data: { rows: 75, isEstimate: false, days: 30 } }])
    expect(retention.deleted).toBe(75)
    expect(await readIndexes(database)).toEqual([true])
  })

  test('is estimated when it is much', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 12_000 })
    await database.query('ANALYZE email.deliveries')
    const { said } = start({ database, cleanUp, pace: { ...fast, stepRows: 5000 } })
    await waitFor(() => said(/are deleted/).length > 0, { what: 'the rows to be deleted' })
    const [line] = said(/^Deleting/)
    expect(line).toMatchObject({ data: { isEstimate: true } })
    expect(line?.data?.rows).toBeGreaterThan(10_000)
    expect(await countRows(database)).toEqual([])
  })

  test('keeps its row as long as a transaction has it locked, and holds up nobody', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 25 })
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query("BEGIN; SELECT FROM email.deliveries WHERE message_id = 'sent 7' FOR UPDATE")
    const { said } = start({ database, cleanUp, pace: { ...fast, everyMs: 50 } })
    await waitFor(() => said(/are deleted/).length > 0, { what: 'the others to be deleted' })
    expect(await countRows(database)).toEqual(['1 sent 31 days'])
    await holder.query('COMMIT')
    holder.release()
    await waitFor(async () => (await countRows(database)).length === 0, { what: 'the last to be deleted' })
  })
})

describe('of several processes', () => {
  test('one deletes, and the others do not before it is time', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 95 })
    const all = [1, 2, 3].map(() => start({ database, cleanUp }))
    const sum = () => all.reduce((total, { retention }) => total + retention.deleted, 0)
    await waitFor(() => sum() === 95, { what: 'all to be deleted' })
    expect(all.filter(({ retention }) => retention.deleted > 0)).toHaveLength(1)
    expect(all.flatMap(({ logger }) => logger.lines.filter(({ level }) => level === 'warn'))).toEqual([])

    await insertRows(database, { state: 'failed', age: '31 days', count: 5 })
    await endLease(database)
    await waitFor(() => sum() === 100, { what: 'the next time' })
  })

  test('the one that has lost its lease deletes no more', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 1000 })
    const { retention, said } = start({ database, cleanUp, pace: { ...fast, pollMs: 60_000 } })
    await waitFor(() => retention.deleted > 0, { what: 'the first step', intervalMs: 1 })
    await database.query("UPDATE email.leases SET holder = 'another', lease_until = now() + interval '1 minute'")
    await waitFor(() => said(/taken over/).length > 0, { what: 'the loss to be noticed' })
    const { deleted } = retention
    expect(deleted).toBeLessThan(1000)
    expect(await countRows(database)).toEqual([`${1000 - deleted} sent 31 days`])
  })

  test('the next one goes on when the first is stopped', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 1000 })
    const first = start({ database, cleanUp })
    await waitFor(() => first.retention.deleted > 0, { what: 'the first step', intervalMs: 1 })
    await first.retention.stop()
    const second = start({ database, cleanUp })
    await waitFor(() => second.said(/are deleted/).length > 0, { what: 'the rest to be deleted' })
    expect(first.retention.deleted + second.retention.deleted).toBe(1000)
  })

  test('the next one goes on when the lease of one that has died is over', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 15 })
    await database.query("INSERT INTO email.leases VALUES ('ledger-retention', 'dead', now() + interval '1 minute')")
    const { retention } = start({ database, cleanUp })
    await endLease(database)
    await waitFor(() => retention.deleted === 15, { what: 'all to be deleted' })
  })
})

describe('the index', () => {
  test('is made again if making it was interrupted', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 15 })
    // The statement waits for the transaction, and is cancelled.
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query("BEGIN; INSERT INTO email.deliveries VALUES (2, 'm', 'a', 'retry', NULL, 1)")
    const first = start({ database, cleanUp })
    await waitFor(async () => (await readIndexes(database)).length === 1, { what: 'the index to be begun' })
    await first.retention.stop()
    expect(await readIndexes(database)).toEqual([false])
    await waitFor(async () => (await database.query('SELECT FROM pg_stat_progress_create_index')).length === 0, {
      what: 'the server to cancel the statement',
    })
    await holder.query('ROLLBACK')
    holder.release()
    const second = start({ database, cleanUp })
    await waitFor(() => second.retention.deleted === 15, { what: 'all to be deleted' })
    expect(await readIndexes(database)).toEqual([true])
  })

  test('is not waited for at the end, though the table is locked', async ({ database, cleanUp }) => {
    await openLedger(database)
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query('BEGIN; LOCK TABLE email.deliveries IN ACCESS EXCLUSIVE MODE')
    const { retention } = start({ database, cleanUp })
    const countWaiting = async () => (await database.query('SELECT FROM pg_locks WHERE NOT granted')).length
    await waitFor(async () => (await countWaiting()) === 1, { what: 'the statement to wait for the table' })
    await retention.stop()
    await waitFor(async () => (await countWaiting()) === 0, { what: 'the server to cancel it' })
    await holder.query('ROLLBACK')
    holder.release()
  })

  test('is left to the one who makes it, and takes as long as it takes', async ({ database, cleanUp }) => {
    await openLedger(database)
    await insertRows(database, { state: 'sent', age: '31 days', count: 15 })
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query("BEGIN; INSERT INTO email.deliveries VALUES (2, 'm', 'a', 'retry', NULL, 1)")
    const limited = openPool(database, { statement_timeout: 300, query_timeout: 500 })
    const first = start({ database, cleanUp, pool: limited, pace: { ...fast, leaseMs: 300 } })
    await waitFor(async () => (await readIndexes(database)).length === 1, { what: 'the index to be begun' })
    const readHolder = async () => (await database.query('SELECT holder FROM email.leases'))[0]?.holder
    const holderOfFirst = await readHolder()
    await endLease(database)
    const second = start({ database, cleanUp })
    await waitFor(async () => (await readHolder()) !== holderOfFirst, { what: 'the second to look' })
    await holder.query('ROLLBACK')
    holder.release()
    await waitFor(() => first.retention.deleted + second.retention.deleted === 15, { what: 'all to be deleted' })
    expect([...first.said(/not deleted/), ...second.said(/not deleted/)]).toEqual([])
    expect(await readIndexes(database)).toEqual([true])
  })
})

describe('the stop', () => {
  const lockTable = async (database: TestDatabase, cleanUp: CleanUp) => {
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query('BEGIN; LOCK TABLE email.deliveries IN ACCESS EXCLUSIVE MODE')
    cleanUp(async () => {
      await holder.query('ROLLBACK')
      holder.release()
    })
  }
  const countWaiting = async (database: TestDatabase) =>
    (await database.query('SELECT FROM pg_locks WHERE NOT granted')).length

  test('does not wait for a statement that waits for the table', async ({ database, cleanUp }) => {
    await openLedger(database)
    const pace = { ...fast, everyMs: 50 }
    const { retention } = start({ database, cleanUp, pace })
    await waitFor(async () => (await readIndexes(database))[0], { what: 'the index to be made' })
    await lockTable(database, cleanUp)
    await waitFor(async () => (await countWaiting(database)) === 1, { what: 'the count to wait for the table' })
    await retention.stop()
    expect(await countWaiting(database)).toBe(1)
  })

  test('does not wait for a connection of the pool', async ({ database, cleanUp }) => {
    await openLedger(database)
    const never = new Promise<never>(() => undefined)
    const { retention } = start({
      database,
      cleanUp,
      pool: { query: () => never, connectAlone: () => never },
    })
    await retention.stop()
  })

  test('cancels the making of the index also if the server hears of it later', async ({ database, cleanUp }) => {
    await openLedger(database)
    await lockTable(database, cleanUp)
    const pool = openPool(database)
    let isSent = false
    let looks = 0
    const { retention } = start({
      database,
      cleanUp,
      pool: {
        query: pool.query,
        async connectAlone() {
          const { query, end } = await pool.connectAlone()
          return {
            end,
            async query(statement) {
              if (!statement.text.startsWith('CREATE INDEX')) return await query(statement).finally(() => (looks += 1))
              isSent = true
              await waitFor(() => looks > 0, { what: 'the first look for the statement', intervalMs: 1 })
              return await query(statement)
            },
          }
        },
      },
    })
    await waitFor(() => isSent, { what: 'the statement to be sent' })
    await retention.stop()
    await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the server to cancel it' })
  })
})

test('a database that cannot be asked is asked again', async ({ database, cleanUp }) => {
  await openLedger(database)
  await insertRows(database, { state: 'sent', age: '31 days', count: 15 })
  await database.query('ALTER TABLE email.leases RENAME TO away')
  const { retention, said } = start({ database, cleanUp })
  await waitFor(() => said(/not deleted/).length > 0, { what: 'the failure to be said' })
  await database.query('ALTER TABLE email.away RENAME TO leases')
  await waitFor(() => retention.deleted === 15, { what: 'all to be deleted' })
})
