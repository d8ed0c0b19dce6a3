import { DeferError } from '@mono/message-queue'
import { createTcpProxy, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createDatabasePool } from '../src/database-pool.js'
import { toDatabaseError } from '../src/to-database-error.js'
import { recordLogs } from './support/record-logs.js'

function open(database: TestDatabase, options: { statementTimeoutMs?: number } = {}) {
  const { logger } = recordLogs()
  return createDatabasePool({ databaseUrl: database.url, name: 'audit-worker', logger, max: 2, ...options })
}

/** What an administrator, or a server that shuts down, does to the worker's connections. */
async function terminateConnections(database: TestDatabase): Promise<void> {
  await database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'audit-worker' and datname = current_database()",
  )
}

describe('the pool', () => {
  test('survives the loss of an idle connection and connects anew', async ({ database, cleanUp }) => {
    const pool = open(database)
    cleanUp(() => pool.end())
    await pool.query('select 1')
    await terminateConnections(database)
    // No listener of the test's own: an error that nobody listens for would fail the run.
    await waitFor(() => pool.totalCount === 0, { what: 'the pool to notice' })
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }])
  })

  test('survives the loss of a connection that is lent out, between two queries', async ({ database, cleanUp }) => {
    const pool = open(database)
    cleanUp(() => pool.end())
    const client = await pool.connect()
    await client.query('begin')
    await terminateConnections(database)
    const error = await waitFor(() => client.query('select 1').catch((reason: unknown) => reason), {
      what: 'the query to be refused',
      timeoutMs: 2000,
    }).finally(() => client.release(true))
    expect(toDatabaseError(error)).toBeInstanceOf(DeferError)
  })

  test('defers what runs when its connection is terminated', async ({ database, cleanUp }) => {
    const pool = open(database)
    cleanUp(() => pool.end())
    const sleeping = pool.query('select pg_sleep(60)').catch((reason: unknown) => reason)
    await waitFor(
      async () =>
        (
          await database.query(
            "select from pg_stat_activity where query like '%sleep(60)' and datname = current_database() and pid <> pg_backend_pid()",
          )
        ).length,
      { what: 'the query to run' },
    )
    await terminateConnections(database)
    expect(toDatabaseError(await sleeping)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', name: 'DeferError' })
  })

  test('has statements that take too long cancelled by the server', async ({ database, cleanUp }) => {
    const pool = open(database, { statementTimeoutMs: 50 })
    cleanUp(() => pool.end())
    const error = await pool.query('select pg_sleep(60)').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: '57014' })
    expect(toDatabaseError(error)).toBeInstanceOf(DeferError)
  })

  test('leaves no statement waiting for a lock when its connection is lost', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    const pool = open({ ...database, url: proxy.url(database.url) })
    cleanUp(() => pool.end())
    await database.query('create table taken ()')
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query('begin; lock table taken')
    const waiting = pool.query('select from taken').catch((reason: unknown) => reason)
    const countWaiting = async () =>
      (
        await database.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        )
      ).length
    await waitFor(async () => (await countWaiting()) === 1, { what: 'the statement to wait' })
    await proxy.down('reset')
    await waiting
    await waitFor(async () => (await countWaiting()) === 0, { what: 'the statement to be given up' })
    await holder.query('commit')
    holder.release()
  })

  test('shows its name to the administrator and gives bigint as a string', async ({ database, cleanUp }) => {
    const pool = open(database)
    cleanUp(() => pool.end())
    const { rows } = await pool.query("select current_setting('application_name') as name, 9007199254740993 as big")
    expect(rows).toEqual([{ name: 'audit-worker', big: '9007199254740993' }])
  })
})
