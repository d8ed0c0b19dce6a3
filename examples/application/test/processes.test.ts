import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { migrate, startWorkerProcess, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { runMigrations } from '../src/migrations.js'
import { findAdvisoryLocks } from './support/find-advisory-locks.js'
import { holdCommits } from './support/hold-commits.js'
import { writeRealtimeKey } from './support/write-realtime-key.js'
import { writeTemporaryFile } from './support/write-temporary-file.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const migrating = fileURLToPath(new URL('../dist/migrate.js', import.meta.url))

/** Runs a script to its end. */
async function run(script: string, env: Record<string, string>) {
  const child = execFile(process.execPath, [script], { env })
  let errors = ''
  child.stderr?.on('data', (text: string) => {
    errors += text
  })
  const [code] = await once(child, 'close')
  return { code, errors }
}

test('a process whose environment does not fit ends and names every variable, without its value', async () => {
  const wrong = { DATABASE_URL: 'mysql://ada:hunter2@localhost/mono' }
  const application = await run(main, wrong)
  expect(application.code).toBe(1)
  for (const name of ['DATABASE_URL', 'RABBITMQ_URL', 'REALTIME_KEY_FILE', 'REALTIME_URL'])
    expect(application.errors).toContain(name)
  const migration = await run(migrating, wrong)
  expect(migration.code).toBe(1)
  expect(migration.errors).toContain('DATABASE_URL')
  expect(application.errors + migration.errors).not.toContain('hunter2')
})

test('a key with which no token can be made ends the start and is named', async ({ cleanUp }) => {
  const env = {
    DATABASE_URL: 'postgres://localhost:1/mono',
    RABBITMQ_URL: 'amqp://localhost:1/mono',
    REALTIME_KEY_FILE: await writeTemporaryFile('not a key', cleanUp),
    REALTIME_URL: 'ws://127.0.0.1:15675/ws',
  }
  const { code, errors } = await run(main, env)
  expect(code).toBe(1)
  expect(errors).toContain('REALTIME_KEY_FILE')
})

test('migrations that start together wait for each other, and one does the work', async ({ database }) => {
  const outcomes = await Promise.all([1, 2, 3].map(() => run(migrating, { DATABASE_URL: database.url })))
  expect(outcomes).toEqual(outcomes.map(() => ({ code: 0, errors: '' })))
  expect(await database.query('SELECT name FROM example.migrations ORDER BY name')).toEqual([
    { name: '0001_create-outbox' },
    { name: '0002_create-application' },
    { name: '0003_add-demo-users' },
    { name: '0004_add-notification-body' },
  ])
  expect(await findAdvisoryLocks(database, { granted: true })).toEqual([])
})

test('SIGTERM ends the application when what was asked is answered', async ({ database, vhost, cleanUp }) => {
  await migrate('chat-worker', database.url)
  await runMigrations(database.url)
  const application = startWorkerProcess('example-application', main, {
    DATABASE_URL: database.url,
    RABBITMQ_URL: vhost.url,
    REALTIME_KEY_FILE: await writeRealtimeKey(cleanUp),
    REALTIME_URL: 'ws://127.0.0.1:15675/ws',
  })
  cleanUp(() => application.kill('SIGKILL'))
  await application.ready()
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${application.httpUrl}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { connection: 'close', ...headers },
    })
  const login = await post('/session', { tenantId: 1, userId: 'ada' })
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const { csrfToken } = (await login.json()) as { csrfToken: string }

  const commits = await holdCommits(database)
  const asked = post('/conversations/lunch/messages', { content: 'Hi' }, { cookie, 'x-csrf-token': csrfToken })
  await commits.untilOneWaits()
  application.kill('SIGTERM')
  const isClosed = async () => (await post('/session', {}).catch(() => undefined)) === undefined
  await waitFor(isClosed, { what: 'new requests to be refused' })
  await commits.letGo()
  expect((await asked).status).toBe(202)
  expect(await application.exited).toEqual({ code: 0, signal: null })
  expect(application.stderr).toBe('')
})
