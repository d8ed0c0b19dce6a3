import {
  createTcpProxy,
  hasPgbouncer,
  startPgbouncer,
  type TestDatabase,
  type TestFixtures,
  test,
} from '@mono/test-support'
import pg from 'pg'
import { describe, expect } from 'vitest'
import { createDatabasePool } from '../src/database-pool.js'
import { createDatabaseProbe, type DatabaseProbeOptions } from '../src/database-probe.js'
import { recordLogs } from './support/record-logs.js'
import { migrate } from './support/run-test-worker.js'

type CleanUp = TestFixtures['cleanUp']

const name = 'audit-worker'

/** A probe as a worker has it, beside its pool. */
function open(databaseUrl: string, cleanUp: CleanUp, options: Partial<DatabaseProbeOptions> = {}) {
  const pool = createDatabasePool({ databaseUrl, name, logger: recordLogs().logger })
  cleanUp(() => pool.end())
  const probe = createDatabaseProbe({ databaseUrl, name, probeTable: 'audit.events', pool, ...options })
  cleanUp(() => probe.close())
  return { pool, probe }
}

/** A role that may do what a worker needs. */
async function createRole(database: TestDatabase, cleanUp: CleanUp, { limit = -1 } = {}) {
  const role = `role_of_${database.name}`
  await database.query(`create role ${role} login password 'first' connection limit ${limit}`)
  await database.query(`grant usage on schema audit to ${role}`)
  await database.query(`grant insert, select on audit.events to ${role}`)
  cleanUp(async () => {
    await database.query(`drop owned by ${role}`)
    await database.query(`drop role ${role}`)
  })
  const url = new URL(database.url)
  url.username = role
  url.password = 'first'
  return { role, url: url.href }
}

/** The check that makes a connection of its own comes every sixth time. */
async function checkSixTimes(probe: ReturnType<typeof open>['probe']) {
  for (let n = 0; n < 5; n += 1) await probe.check()
  return await probe.check()
}

describe('a check of the database names', () => {
  test('a default that lets nobody write', async ({ database, cleanUp }) => {
    await migrate(database)
    await database.query(`alter database ${database.name} set default_transaction_read_only = on`)
    const { probe } = open(database.url, cleanUp)
    expect(await probe.check()).toEqual({
      state: 'unusable',
      code: '25006',
      error: 'cannot execute INSERT in a read-only transaction',
    })
  })

  test('a right that is missing', async ({ database, cleanUp }) => {
    await migrate(database)
    const { role, url } = await createRole(database, cleanUp)
    const { probe } = open(url, cleanUp)
    expect(await probe.check()).toEqual({ state: 'up' })
    await database.query(`revoke insert on audit.events from ${role}`)
    const error = 'permission denied for table events'
    expect(await probe.check()).toEqual({ state: 'unusable', code: '42501', error })
  })

  test('a password that was changed, while connections that were made before go on', async ({ database, cleanUp }) => {
    await migrate(database)
    const { role, url } = await createRole(database, cleanUp)
    const { probe } = open(url, cleanUp)
    expect(await probe.check()).toEqual({ state: 'up' })
    await database.query(`alter role ${role} password 'second'`)
    const error = `password authentication failed for user "${role}"`
    expect(await checkSixTimes(probe)).toEqual({ state: 'unusable', code: '28P01', error })
  })

  test('a column that a migration makes', async ({ database, cleanUp }) => {
    await migrate(database)
    const { probe } = open(database.url, cleanUp, {
      probeStatements: ['UPDATE audit.events SET note = note WHERE false'],
    })
    expect(await probe.check()).toEqual({
      state: 'not migrated',
      error: 'column "note" does not exist; run: node apps/audit-worker/dist/migrate.js',
    })
  })

  test('another encoding', async ({ database, cleanUp }) => {
    const name = `${database.name}_latin1`
    await database.query(`create database ${name} template template0 encoding latin1 locale 'C'`)
    cleanUp(() => database.query(`drop database ${name} with (force)`))
    const { probe } = open(database.url.replace(database.name, name), cleanUp)
    expect(await probe.check()).toMatchObject({
      state: 'unusable',
      code: 'ENCODING',
      error: expect.stringContaining('needs UTF8, found LATIN1'),
    })
  })

  test('a clock that is wrong', async ({ database, cleanUp }) => {
    await migrate(database)
    const { probe } = open(database.url, cleanUp, { now: () => Date.now() + 7_200_000 })
    expect(await probe.check()).toMatchObject({
      state: 'unusable',
      code: 'CLOCK',
      error: expect.stringMatching(/more than a minute apart: this process has 20.*Z, the database 20.*Z/),
    })
  })
})

describe('a check of the database takes it for up', () => {
  test('when all connections that the server has are at work', async ({ database, cleanUp }) => {
    await migrate(database)
    const { url } = await createRole(database, cleanUp, { limit: 3 })
    const { pool, probe } = open(url, cleanUp)
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    expect(await checkSixTimes(probe)).toEqual({ state: 'up' })
    for (const client of clients) client.release()
    expect(await checkSixTimes(probe)).toEqual({ state: 'up' })
  })

  test('when somebody has locked the table', async ({ database, cleanUp }) => {
    await migrate(database)
    const holder = new pg.Client(database.url)
    await holder.connect()
    cleanUp(() => holder.end())
    await holder.query('begin; lock table audit.events')
    const { probe } = open(database.url, cleanUp)
    expect(await probe.check()).toEqual({ state: 'up' })
  })

  test('when it is far away', async ({ database, cleanUp }) => {
    await migrate(database)
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    proxy.delay(60)
    const { probe } = open(proxy.url(database.url), cleanUp)
    expect(await checkSixTimes(probe)).toEqual({ state: 'up' })
  })

  test.skipIf(!hasPgbouncer())(
    `when PgBouncer is between${hasPgbouncer() ? '' : ' (not installed here)'}`,
    async ({ database, cleanUp }) => {
      await migrate(database)
      const bouncer = await startPgbouncer({ databaseUrl: database.url })
      cleanUp(() => bouncer.close())
      const { probe } = open(bouncer.url, cleanUp)
      expect(await checkSixTimes(probe)).toEqual({ state: 'up' })
    },
  )
})

test('a check leaves nothing behind', async ({ database, cleanUp }) => {
  await migrate(database)
  const { probe } = open(database.url, cleanUp)
  await checkSixTimes(probe)
  expect(await database.query('select from audit.events')).toEqual([])
})
