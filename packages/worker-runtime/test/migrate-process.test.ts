import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type TestDatabase, test, waitFor } from '@mono/test-support'
import { PG_MIGRATE_LOCK_ID } from 'node-pg-migrate'
import pg from 'pg'
import { describe, expect } from 'vitest'

const script = fileURLToPath(new URL('./support/migrate-process.mjs', import.meta.url))

/** The built package in a process of its own, migrating with one file. */
function start(databaseUrl: string, sql: string, cleanUp: (release: () => void) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'migrations-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, '0001_only.sql'), sql)
  const env = { DATABASE_URL: databaseUrl, DIRECTORY: directory }
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(() => child.kill('SIGKILL'))
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  return { child, closed, stdout: () => stdout }
}

const untilSession = (database: TestDatabase, condition: string) =>
  waitFor(
    async () =>
      (await database.query(`select from pg_stat_activity where datname = current_database() and ${condition}`))
        .length > 0,
    { what: `a session with ${condition}` },
  )

const untilNoSession = (database: TestDatabase) =>
  waitFor(
    async () =>
      (
        await database.query(
          "select from pg_stat_activity where datname = current_database() and application_name = 'audit migrations'",
        )
      ).length === 0,
    { what: 'the server to end the session', timeoutMs: 10_000 },
  )

describe('a migration process', () => {
  test.for([
    ['SIGTERM', { code: 1, signal: null }],
    ['SIGINT', { code: 1, signal: null }],
    ['SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const)(
    'that gets %s in a long statement leaves neither a lock nor a half',
    async ([signal, exit], { database, cleanUp }) => {
      const sql = 'create table audit.events (id bigint); select pg_sleep(600);'
      const { child, closed, stdout } = start(database.url, sql, cleanUp)
      await untilSession(database, "wait_event = 'PgSleep'")
      child.kill(signal)
      expect(await closed).toEqual(exit)
      if (signal !== 'SIGKILL') expect(stdout()).toContain(`"signal":"${signal}","msg":"Told to stop`)
      await untilNoSession(database)
      expect(await database.query("select to_regclass('audit.events') as found")).toEqual([{ found: null }])
      expect(
        await database.query(
          "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
        ),
      ).toEqual([])
    },
  )

  test('that gets SIGTERM while it waits for others no longer waits for the lock', async ({ database, cleanUp }) => {
    const holder = new pg.Client(database.url)
    await holder.connect()
    cleanUp(() => holder.end())
    await holder.query('select pg_advisory_lock($1)', [PG_MIGRATE_LOCK_ID])
    const { child, closed } = start(database.url, 'select 1;', cleanUp)
    await untilSession(database, "wait_event = 'advisory'")
    child.kill('SIGTERM')
    expect(await closed).toEqual({ code: 1, signal: null })
    await untilNoSession(database)
  })
})
