import { type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createDatabaseProbe } from '../src/database-probe.js'
import { startDatabaseWatch } from '../src/database-watch.js'
import { recordLogs } from './support/record-logs.js'
import { createTcpProxy } from './support/tcp-proxy.js'

const probeTable = 'audit.events'
const never = new AbortController().signal

async function migrate(database: TestDatabase): Promise<void> {
  await database.query('create schema audit')
  await database.query('create table audit.events (id int)')
}

describe('a look at the database', () => {
  test('tells whether it is migrated', async ({ database, cleanUp }) => {
    const probe = createDatabaseProbe({ databaseUrl: database.url, name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    expect(await probe.look()).toEqual({
      state: 'not migrated',
      error: 'There is no table audit.events; run: node apps/audit-worker/dist/migrate.js',
    })
    await migrate(database)
    expect(await probe.look()).toEqual({ state: 'up' })
  })

  test('tells why it cannot be reached, without the password', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy(database.url, { cut: true })
    const probe = createDatabaseProbe({ databaseUrl: proxy.url, name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    expect(await probe.look()).toEqual({ state: 'down', error: expect.stringContaining('ECONNREFUSED') })
  })

  test('tells that the role or the database is wrong', async ({ database, cleanUp }) => {
    const databaseUrl = database.url.replace(database.name, 'no_such_database')
    const probe = createDatabaseProbe({ databaseUrl, name: 'audit-worker', probeTable })
    cleanUp(() => probe.close())
    expect(await probe.look()).toEqual({ state: 'down', error: 'database "no_such_database" does not exist' })
  })
})

describe('the watch over a database', () => {
  test('waits until it is there and migrated, and sees it go and come back', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy(database.url, { cut: true })
    cleanUp(() => proxy.cut())
    const logs = recordLogs()
    const probe = createDatabaseProbe({ databaseUrl: proxy.url, name: 'audit-worker', probeTable })
    const watch = startDatabaseWatch({ probe, logger: logs.logger, intervalMs: 20 })
    cleanUp(() => watch.stop())
    const up = watch.untilUp(never)

    await waitFor(() => watch.status.state === 'down', { what: 'down' })
    await proxy.restore()
    await waitFor(() => watch.status.state === 'not migrated', { what: 'reached, not migrated' })
    await migrate(database)
    await up
    await proxy.cut()
    await waitFor(() => watch.status.state === 'down', { what: 'down again' })
    await proxy.restore()
    await waitFor(() => watch.status.state === 'up', { what: 'up again' })

    expect(logs.records.map(({ msg }) => msg)).toEqual([
      'Database cannot be reached',
      'Database is not migrated',
      'Database is up',
      'Database cannot be reached',
      'Database is up',
    ])
  })
})
