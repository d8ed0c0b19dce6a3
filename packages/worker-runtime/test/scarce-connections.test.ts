import { createTcpProxy, hasPgbouncer, startPgbouncer, type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createDatabasePool } from '../src/database-pool.js'
import { recordLogs } from './support/record-logs.js'

type Fixtures = Pick<TestFixtures, 'database' | 'cleanUp'>

/** A role of the test's own that the server gives so many connections. */
async function createRole({ database, cleanUp }: Fixtures, connections: number): Promise<string> {
  const role = `role_of_${database.name}`
  await database.query(`create role ${role} login password 'p' connection limit ${connections}`)
  cleanUp(() => database.query(`drop role ${role}`))
  const url = new URL(database.url)
  url.username = role
  url.password = 'p'
  return url.href
}

function open(databaseUrl: string, { cleanUp }: Pick<TestFixtures, 'cleanUp'>) {
  const pool = createDatabasePool({ databaseUrl, name: 'audit-worker', logger: recordLogs().logger })
  cleanUp(() => pool.end())
  return pool
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('the pool of a server that has three connections for it', () => {
  test('does all work on these', async ({ database, cleanUp }) => {
    const pool = open(await createRole({ database, cleanUp }, 3), { cleanUp })
    const results = await Promise.all(upTo(300).map((n) => pool.query('select $1::int as n', [n])))
    expect(results.map(({ rows }) => rows)).toEqual(upTo(300).map((n) => [{ n }]))
    // Now and then it tries one more.
    await waitFor(() => pool.totalCount <= 3, { what: 'no more than three' })
  })

  test('fails when it gets none, and works again when it does', async ({ database, cleanUp }) => {
    const url = await createRole({ database, cleanUp }, 3)
    const others = open(url, { cleanUp })
    const held = await Promise.all(upTo(3).map(() => others.connect()))
    const pool = open(url, { cleanUp })
    const refused = await Promise.allSettled(upTo(20).map(() => pool.query('select 1')))
    const reasons = refused.map((result) => result.status === 'rejected' && result.reason.cause.code)
    expect(reasons).toEqual(upTo(20).map(() => '53300'))
    for (const client of held) client.release(true)
    await Promise.all(upTo(20).map(() => pool.query('select 1')))
  })
})

describe('a pool of ten connections', () => {
  test('lets a hundred wait for their turn at a server that is far away', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    const pool = open(proxy.url(database.url), { cleanUp })
    proxy.delay(60)
    // Ten rounds of 0.6 s: longer than a connection may take to be made.
    await Promise.all(upTo(100).map(() => pool.query('select pg_sleep(0.5)')))
  })

  test('makes nobody wait any more when the database is known to be away', async ({ database, cleanUp }) => {
    const pool = open(database.url, { cleanUp })
    const held = await Promise.all(upTo(10).map(() => pool.connect()))
    const waiting = pool.query('select 1').catch((error: unknown) => error)
    pool.holdOff('no answer')
    expect(await waiting).toMatchObject({ name: 'DeferError', code: 'DATABASE_UNAVAILABLE' })
    await expect(pool.query('select 1')).rejects.toThrow('no answer')
    pool.goOn()
    const goingOn = pool.query('select 1')
    for (const client of held) client.release()
    await goingOn
  })
})

describe.skipIf(!hasPgbouncer())(`the pool behind PgBouncer${hasPgbouncer() ? '' : ' (not installed here)'}`, () => {
  test('works, and its limits end with the transaction', async ({ database, cleanUp }) => {
    const bouncer = await startPgbouncer({ databaseUrl: database.url, poolSize: 2 })
    cleanUp(() => bouncer.close())
    const pool = open(bouncer.url, { cleanUp })
    const show = "select current_setting('statement_timeout') as own, pg_backend_pid() as pid"
    const results = await Promise.all(upTo(100).map(() => pool.query(show)))
    expect(new Set(results.map(({ rows }) => rows[0]?.own))).toEqual(new Set(['30s']))
    expect(new Set(results.map(({ rows }) => rows[0]?.pid)).size).toBeLessThanOrEqual(2)
    const client = await pool.connect()
    const { rows } = await client.query(show)
    client.release()
    expect(rows).toMatchObject([{ own: '0' }])
  })
})
