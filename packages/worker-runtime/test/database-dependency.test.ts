import { createTcpProxy, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createBreakers } from '../src/breakers.js'
import { DatabaseDependency } from '../src/database-dependency.js'
import { createDatabaseProbe } from '../src/database-probe.js'
import { recordLogs } from './support/record-logs.js'

const probeTable = 'audit.events'
const never = new AbortController().signal

async function migrate(database: TestDatabase): Promise<void> {
  await database.query('create schema audit')
  await database.query('create table audit.events (id int)')
}

describe('a check of the database', () => {
  test('tells whether it is migrated', async ({ database, cleanUp }) => {
    const probe = createDatabaseProbe({ databaseUrl: database.url, name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    expect(await probe.check()).toEqual({
      state: 'not migrated',
      error: 'There is no table audit.events; run: node apps/audit-worker/dist/migrate.js',
    })
    await migrate(database)
    expect(await probe.check()).toEqual({ state: 'up' })
  })

  test('tells why it cannot be reached, without the password', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy({ target: database.url })
    await proxy.down()
    const probe = createDatabaseProbe({ databaseUrl: proxy.url(database.url), name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    expect(await probe.check()).toEqual({ state: 'down', error: expect.stringContaining('ECONNREFUSED') })
  })

  test('tells that the role or the database is wrong', async ({ database, cleanUp }) => {
    const databaseUrl = database.url.replace(database.name, 'no_such_database')
    const probe = createDatabaseProbe({ databaseUrl, name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    expect(await probe.check()).toEqual({
      state: 'unusable',
      code: '3D000',
      error: 'database "no_such_database" does not exist',
    })
  })
})

describe('a database that a worker depends on', () => {
  test('is waited for until it is there and migrated, and then seen to go and come back', async ({
    database: { url, ...database },
    cleanUp,
  }) => {
    const proxy = await createTcpProxy({ target: url })
    cleanUp(() => proxy.close())
    await proxy.down()
    const logs = recordLogs()
    const probe = createDatabaseProbe({ databaseUrl: proxy.url(url), name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    const dependency = new DatabaseDependency({ check: probe.check, logger: logs.logger, everyMs: 20 })
    const up = dependency.untilUp(never)

    await waitFor(() => dependency.status.state === 'down', { what: 'down' })
    await proxy.up()
    await waitFor(() => dependency.status.state === 'not migrated', { what: 'reached, not migrated' })
    await migrate({ url, ...database })
    await up
    const breakers = createBreakers(logs.logger)
    cleanUp(breakers.stop)
    breakers.add(dependency)
    await proxy.down()
    await waitFor(() => dependency.status.state === 'down', { what: 'down again' })
    expect(breakers.statuses.database).toMatchObject({ state: 'open', error: expect.any(String) })
    await proxy.up()
    await waitFor(() => dependency.status.state === 'up', { what: 'up again' })
    expect(breakers.statuses.database).toEqual({ state: 'trial' })

    // A server that stalls for seconds is another change of state, with its line: each counts where it comes first.
    expect([...new Set(logs.records.map(({ msg }) => msg))]).toEqual([
      'Database cannot be reached',
      'Database is not migrated',
      'Database is up',
      'A dependency cannot be used; nothing is taken until it can',
      'A dependency answers again; deliveries are taken',
    ])
    expect(logs.count('A dependency cannot be used; nothing is taken until it can')).toBe(1)
  })
})
