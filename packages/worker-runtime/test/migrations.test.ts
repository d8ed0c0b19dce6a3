import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hasPgbouncer, startPgbouncer, test, waitFor } from '@mono/test-support'
import { PG_MIGRATE_LOCK_ID } from 'node-pg-migrate'
import pg from 'pg'
import { describe, expect } from 'vitest'
import { runMigrations } from '../src/migrations.js'
import { recordLogs } from './support/record-logs.js'

const createEvents = 'create table audit.events (id bigint primary key);'
const addColumn = 'alter table audit.events add column note text;'

function writeDirectory(files: Record<string, string>, cleanUp: (release: () => void) => void): string {
  const directory = mkdtempSync(join(tmpdir(), 'migrations-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
  return directory
}

describe('migrations', () => {
  test('are applied in order, recorded in the schema of the worker, and logged', async ({ database, cleanUp }) => {
    const logs = recordLogs()
    const directory = writeDirectory(
      { '0002_add-note.sql': addColumn, '0001_create-events.sql': createEvents, 'README.md': 'Not SQL.' },
      cleanUp,
    )
    await runMigrations({ databaseUrl: database.url, directory, schema: 'audit', logger: logs.logger })
    expect(await database.query('select name from audit.migrations order by id')).toEqual([
      { name: '0001_create-events' },
      { name: '0002_add-note' },
    ])
    expect(logs.find('Migrations applied')).toMatchObject({
      schema: 'audit',
      migrations: ['0001_create-events', '0002_add-note'],
    })
  })

  test('that are applied already are left alone, without a word', async ({ database, cleanUp }) => {
    const directory = writeDirectory({ '0001_create-events.sql': createEvents }, cleanUp)
    const first = recordLogs()
    await runMigrations({ databaseUrl: database.url, directory, schema: 'audit', logger: first.logger })
    const second = recordLogs()
    const url = pathToFileURL(`${directory}/`)
    await runMigrations({ databaseUrl: database.url, directory: url, schema: 'audit', logger: second.logger })
    expect(second.records.filter(({ level }) => level !== 'debug')).toEqual([])
  })

  test('started by several workers and replicas at once are applied once each', async ({ database, cleanUp }) => {
    const audit = writeDirectory({ '0001_a.sql': createEvents, '0002_b.sql': addColumn }, cleanUp)
    const chat = writeDirectory({ '0001_a.sql': 'create table chat.messages (id bigint);' }, cleanUp)
    const { logger } = recordLogs()
    const run = (schema: string, directory: string) =>
      runMigrations({ databaseUrl: database.url, directory, schema, logger })
    await Promise.all([...Array(4)].flatMap(() => [run('audit', audit), run('chat', chat)]))
    expect(await database.query('select name from audit.migrations order by id')).toEqual([
      { name: '0001_a' },
      { name: '0002_b' },
    ])
    expect(await database.query('select name from chat.migrations')).toEqual([{ name: '0001_a' }])
  })

  test('wait for others that hold the lock, and say so', async ({ database, cleanUp }) => {
    const holder = new pg.Client(database.url)
    await holder.connect()
    cleanUp(() => holder.end())
    await holder.query('select pg_advisory_lock($1)', [PG_MIGRATE_LOCK_ID])
    const directory = writeDirectory({ '0001_create-events.sql': createEvents }, cleanUp)
    const logs = recordLogs()
    const running = runMigrations({ databaseUrl: database.url, directory, schema: 'audit', logger: logs.logger })
    await waitFor(() => logs.find('Waiting for other migrations of this database to end'), { what: 'the log line' })
    await holder.query('select pg_advisory_unlock($1)', [PG_MIGRATE_LOCK_ID])
    await running
    expect(await database.query('select name from audit.migrations')).toHaveLength(1)
  })

  test('are refused by a database of another encoding', async ({ database, cleanUp }) => {
    const name = `${database.name}_latin1`
    await database.query(`create database ${name} template template0 encoding latin1 locale 'C'`)
    cleanUp(() => database.query(`drop database ${name} with (force)`))
    const directory = writeDirectory({ '0001_create-events.sql': createEvents }, cleanUp)
    const databaseUrl = database.url.replace(database.name, name)
    const { logger } = recordLogs()
    await expect(runMigrations({ databaseUrl, directory, schema: 'audit', logger })).rejects.toThrow(
      'The database needs UTF8, found LATIN1',
    )
  })

  test.skipIf(!hasPgbouncer())(
    `leave nothing in a session of PgBouncer${hasPgbouncer() ? '' : ' (not installed here)'}`,
    async ({ database, cleanUp }) => {
      const bouncer = await startPgbouncer({ databaseUrl: database.url })
      cleanUp(() => bouncer.close())
      const { logger } = recordLogs()
      const audit = writeDirectory({ '0001_a.sql': createEvents }, cleanUp)
      const chat = writeDirectory({ '0001_a.sql': 'create table messages (id bigint);' }, cleanUp)
      const run = (databaseUrl: string, schema: string, directory: string) =>
        runMigrations({ databaseUrl, directory, schema, logger })
      await Promise.all([run(bouncer.url, 'audit', audit), run(bouncer.url, 'chat', chat)])
      await Promise.all([run(bouncer.url, 'audit', audit), run(database.url, 'chat', chat)])
      expect(await database.query("select to_regclass('chat.messages') is not null as found")).toEqual([
        { found: true },
      ])
      const pooled = new pg.Pool({ connectionString: bouncer.url, max: 10 })
      cleanUp(() => pooled.end())
      const shown = await Promise.all(Array.from({ length: 10 }, () => pooled.query('show search_path')))
      expect(new Set(shown.map(({ rows }) => rows[0]?.search_path))).toEqual(new Set(['"$user", public']))
    },
  )

  test('of which one fails leave nothing behind, and give the lock back', async ({ database, cleanUp }) => {
    const directory = writeDirectory(
      { '0001_a.sql': createEvents, '0002_b.sql': 'alter table audit.nowhere add x int;' },
      cleanUp,
    )
    const logs = recordLogs()
    const options = { databaseUrl: database.url, directory, schema: 'audit', logger: logs.logger }
    await expect(runMigrations(options)).rejects.toThrow('relation "audit.nowhere" does not exist')
    expect(logs.find('Migration statement failed')).toMatchObject({ detail: expect.stringContaining('audit.nowhere') })
    expect(await database.query("select to_regclass('audit.events') as found")).toEqual([{ found: null }])
    const held = 'select from pg_locks join pg_database on pg_database.oid = database and datname = current_database()'
    expect(await database.query(`${held} where locktype = 'advisory'`)).toEqual([])
  })

  test('that sort before an applied one are refused', async ({ database, cleanUp }) => {
    const { logger } = recordLogs()
    const options = { databaseUrl: database.url, schema: 'audit', logger }
    await runMigrations({ ...options, directory: writeDirectory({ '0002_b.sql': createEvents }, cleanUp) })
    const directory = writeDirectory({ '0001_a.sql': 'select 1', '0002_b.sql': createEvents }, cleanUp)
    await expect(runMigrations({ ...options, directory })).rejects.toThrow(
      '0001_a is preceding already run migration 0002_b',
    )
  })

  test('that are missing from their directory are not taken for none', async ({ database, cleanUp }) => {
    const { logger } = recordLogs()
    const directory = writeDirectory({ 'README.md': 'Not SQL.' }, cleanUp)
    const options = { databaseUrl: database.url, directory, schema: 'audit', logger }
    await expect(runMigrations(options)).rejects.toThrow(`SQL files were expected in ${directory}, but none is there`)
  })

  test('of a schema name that would need quoting are refused', async ({ database }) => {
    const { logger } = recordLogs()
    const options = { databaseUrl: database.url, directory: '.', schema: 'Audit"', logger }
    await expect(runMigrations(options)).rejects.toThrow(
      'A schema name of lower-case letters, digits and _ was expected',
    )
  })
})

describe('a role that may not create schemas', () => {
  test('migrates a schema that was made for it, and otherwise is told what to ask for', async ({
    database,
    cleanUp,
  }) => {
    const role = `role_of_${database.name}`
    await database.query(`create role ${role} login password 'p'`)
    cleanUp(async () => {
      await database.query('drop schema if exists audit cascade')
      await database.query(`drop role ${role}`)
    })
    const url = new URL(database.url)
    url.username = role
    url.password = 'p'
    const { logger } = recordLogs()
    const directory = writeDirectory({ '0001_create-events.sql': createEvents }, cleanUp)
    const options = { databaseUrl: url.href, directory, schema: 'audit', logger }

    await expect(runMigrations(options)).rejects.toThrow(
      `The role ${role} may not create the schema audit in this database; have its owner run: CREATE SCHEMA audit AUTHORIZATION ${role}`,
    )
    await database.query(`create schema audit authorization ${role}`)
    await runMigrations(options)
    expect(await database.query("select to_regclass('audit.events') is not null as found")).toEqual([{ found: true }])
  })
})
