import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTcpProxy, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { readEnv } from '../src/read-env.js'
import { type RunMigrationsMainOptions, runMigrationsMain } from '../src/run-migrations-main.js'
import { migrationEnv } from '../src/worker-env.js'
import { createFakeHost } from './support/fake-host.js'
import { recordLogs } from './support/record-logs.js'

interface RunOptions {
  waitMs?: number
  migrationUrl?: string
  finish?: RunMigrationsMainOptions['finish']
}

function run(
  databaseUrl: string,
  cleanUp: (release: () => void) => void,
  { waitMs = 10_000, migrationUrl = '', finish }: RunOptions = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'migrations-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, '0001_create-events.sql'), 'create table audit.events (id bigint);')
  const host = createFakeHost()
  const logs = recordLogs()
  const readMigrationEnv = () =>
    readEnv(migrationEnv(), { DATABASE_URL: databaseUrl, DATABASE_MIGRATION_URL: migrationUrl })
  const options = {
    name: 'audit-worker',
    schema: 'audit',
    directory,
    readEnv: readMigrationEnv,
    ...(finish && { finish }),
  }
  return { host, logs, ended: runMigrationsMain(options, { host, waitMs, logger: logs.logger }) }
}

describe('the migration process', () => {
  test('waits for a database that is not there yet', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy({ target: database.url })
    await proxy.down()
    cleanUp(() => proxy.close())
    const { host, logs, ended } = run(proxy.url(database.url), cleanUp)
    await waitFor(() => logs.find('Database cannot be reached'), { what: 'the first check' })
    await proxy.up()
    await ended
    expect(host.exitCode).toBe(0)
    expect(await database.query('select name from audit.migrations')).toHaveLength(1)
  })

  test('finishes its work once the files are applied, over a connection of its own', async ({ database, cleanUp }) => {
    const finish: RunMigrationsMainOptions['finish'] = async (client) => {
      await client.query('insert into audit.events values (1)')
    }
    const { host, ended } = run(database.url, cleanUp, { finish })
    await ended
    expect(host.exitCode).toBe(0)
    expect(await database.query('select id from audit.events')).toEqual([{ id: '1' }])
  })

  test('ends with 1 if that fails, and the files stay applied', async ({ database, cleanUp }) => {
    const finish: RunMigrationsMainOptions['finish'] = async (client) => {
      await client.query('select 1 / 0')
    }
    const { host, logs, ended } = run(database.url, cleanUp, { finish })
    await ended
    expect(host.exitCode).toBe(1)
    expect(logs.find('Migrations failed')).toMatchObject({ err: { message: 'division by zero' } })
    expect(await database.query('select name from audit.migrations')).toHaveLength(1)
  })

  test('ends with 1 and the reason if the database does not come in time', async ({ database, cleanUp }) => {
    const proxy = await createTcpProxy({ target: database.url })
    await proxy.down()
    const { host, logs, ended } = run(proxy.url(database.url), cleanUp, { waitMs: 300 })
    await ended
    expect(host.exitCode).toBe(1)
    expect(logs.find('Migrations failed')).toMatchObject({
      level: 'fatal',
      err: {
        message: expect.stringMatching(/The database of DATABASE_URL was not reached within 300 ms: .*ECONNREFUSED/),
      },
    })
  })

  test('goes past a pooler if it is told the way', async ({ database, cleanUp }) => {
    const { host, ended } = run('postgres://nobody@127.0.0.1:1/none', cleanUp, { migrationUrl: database.url })
    await ended
    expect(host.exitCode).toBe(0)
    expect(await database.query('select name from audit.migrations')).toHaveLength(1)
  })

  test('ends with 1 and a list if its environment has faults', async ({ cleanUp }) => {
    const { host, ended } = run('', cleanUp)
    await ended
    expect(host.exitCode).toBe(1)
    expect(host.printed[0]).toContain('DATABASE_URL: expected a postgres:// or postgresql:// URL')
  })
})
