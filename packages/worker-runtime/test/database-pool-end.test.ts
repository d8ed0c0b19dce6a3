import { type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createDatabasePool } from '../src/database-pool.js'
import { recordLogs } from './support/record-logs.js'

function open(database: TestDatabase) {
  const { logger } = recordLogs()
  const pool = createDatabasePool({ databaseUrl: database.url, name: 'audit-worker', logger, max: 2 })
  return { pool, end: () => pool.end({ limitMs: 200 }) }
}

const countConnections = async (database: TestDatabase) =>
  (await database.query("select from pg_stat_activity where application_name = 'audit-worker'")).length

describe('the end of the pool', () => {
  test('lets what runs finish within the limit', async ({ database }) => {
    const { pool, end } = open(database)
    const running = pool.query('select 1 as one from pg_sleep(0.05)')
    await end()
    expect((await running).rows).toEqual([{ one: 1 }])
  })

  test('closes a connection that nobody gives back', async ({ database }) => {
    const { pool, end } = open(database)
    await pool.connect()
    await end()
    await waitFor(async () => (await countConnections(database)) === 0, { what: 'the connection to be closed' })
  })

  test('breaks off a query that waits for a lock', async ({ database }) => {
    const { pool, end } = open(database)
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query('select pg_advisory_lock(1)')
    const waiting = pool.query('select pg_advisory_lock(1)').catch((error: Error) => error.message)
    await waitFor(
      async () => (await database.query("select from pg_stat_activity where wait_event = 'advisory'")).length,
      { what: 'the query to wait' },
    )
    await end()
    expect(await waiting).toMatch(/^Connection terminated/)
    expect(pool.totalCount).toBe(0)
    holder.release(true)
  })
})
