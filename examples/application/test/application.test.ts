import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createTcpProxy, migrate, type TestDatabase, type TestFixtures, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { createPool } from '../src/database.js'
import { readEnv } from '../src/env.js'
import { runMigrations } from '../src/migrations.js'
import { startApplication } from '../src/start-application.js'
import { writeRealtimeKey } from './support/write-realtime-key.js'

const run = promisify(execFile)
const password = 'test'
const scripts = fileURLToPath(new URL('../../../docker/postgres/', import.meta.url))

/** Roles, schemas and rights, in the order of a deployment. @returns the database's address for the application's role */
async function setUpRole(database: TestDatabase): Promise<string> {
  const url = new URL(database.url)
  const env = {
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: database.name,
    NODE_ENV: 'test',
    CHAT_WORKER_DATABASE_PASSWORD: password,
    PUSH_WORKER_DATABASE_PASSWORD: password,
    EMAIL_WORKER_DATABASE_PASSWORD: password,
    AUDIT_WORKER_DATABASE_PASSWORD: password,
    EXAMPLE_APPLICATION_DATABASE_PASSWORD: password,
    // biome-ignore lint/style/noProcessEnv: where psql is
    PATH: process.env.PATH,
  }
  await run(join(scripts, 'set-up.sh'), { env })
  const as = (role: string) => {
    url.username = role
    url.password = password
    return url.href
  }
  for (const worker of ['chat', 'push', 'email', 'audit']) await migrate(`${worker}-worker`, as(`${worker}_worker`))
  await runMigrations(as('example_application'))
  await run(join(scripts, 'grant-application.sh'), { env })
  return as('example_application')
}

async function startUnderRole(
  { databaseUrl, brokerUrl }: { databaseUrl: string; brokerUrl: string },
  cleanUp: TestFixtures['cleanUp'],
) {
  const application = await startApplication(
    readEnv({
      DATABASE_URL: databaseUrl,
      RABBITMQ_URL: brokerUrl,
      REALTIME_KEY_FILE: await writeRealtimeKey(cleanUp),
      REALTIME_URL: 'ws://127.0.0.1:15675/ws',
      HTTP_PORT: '0',
      LOG_LEVEL: 'silent',
    }),
  )
  cleanUp(() => application.stop())
  const origin = `http://localhost:${application.port}`
  const call = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${origin}${path}`, {
      method,
      headers: { origin, connection: 'close', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const login = await call('POST', '/session', { tenantId: 1, userId: 'ada' })
  const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';')
  const { csrfToken } = (await login.json()) as { csrfToken: string }
  return (method: string, path: string, body?: unknown) =>
    call(method, path, body, { cookie, 'x-csrf-token': csrfToken })
}

test('under its own role the application does all it is for, and what it took while the broker was away arrives', async ({
  database,
  vhost,
  workers,
  cleanUp,
}) => {
  const databaseUrl = await setUpRole(database)
  const judge = workers.spawn('chat-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
  await judge.ready()
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const call = await startUnderRole({ databaseUrl, brokerUrl: proxy.url(vhost.url) }, cleanUp)
  const isReady = async () =>
    ((await (await call('GET', '/readyz')).json()) as { broker: string }).broker === 'connected'
  await waitFor(isReady, { what: 'the broker to be connected' })
  const send = async (content: string) => (await call('POST', '/conversations/lunch/messages', { content })).json()
  expect(await send('one')).toMatchObject({ accepted: true, brokerConnected: true })
  const stored = async () => {
    const answer = await call('GET', '/conversations/lunch/messages')
    return ((await answer.json()) as { messages: { content: string }[] }).messages.map(({ content }) => content)
  }
  await waitFor(async () => (await stored()).length === 1, { what: 'the first to be stored' })
  await proxy.down()
  await waitFor(async () => !(await isReady()), { what: 'the broker to be missed' })
  expect(await send('two')).toMatchObject({ accepted: true, brokerConnected: false })
  expect(await send('three')).toMatchObject({ accepted: true, brokerConnected: false })
  await proxy.up()
  await waitFor(async () => (await stored()).length === 3, { what: 'all to be stored' })
  expect(await stored()).toEqual(['one', 'two', 'three'])

  const subscription = { endpoint: 'https://fcm.googleapis.com/one', keys: { p256dh: 'key', auth: 'secret' } }
  const notified = await call('POST', '/notifications', { title: 'Hello', body: 'Hi', sendEmail: true })
  const { notificationId } = (await notified.json()) as { notificationId: string }
  const report = await (await call('GET', `/notifications/${notificationId}`)).json()
  expect(report).toMatchObject({ push: { outcomes: [] }, email: { outcomes: [] } })
  const calls: [string, string, unknown?][] = [
    ['POST', '/devices', subscription],
    ['POST', '/devices', subscription],
    ['PUT', '/devices', { oldEndpoint: subscription.endpoint, subscription }],
    ['GET', '/devices'],
    ['DELETE', '/devices', { channel: 'web', address: subscription.endpoint }],
    ['GET', '/audit-events'],
    ['GET', '/conversations'],
    ['POST', '/messages-after', [{ conversationId: 'lunch', after: 0 }]],
    ['POST', '/realtime-token'],
    ['GET', '/metrics'],
    ['DELETE', '/session'],
  ]
  for (const [method, path, body] of calls) {
    const { status } = await call(method, path, body)
    expect([method, path, status < 300]).toEqual([method, path, true])
  }
  await judge.terminate()
})

test('the application’s role may do what is granted and nothing else', async ({ database, cleanUp }) => {
  const databaseUrl = await setUpRole(database)
  const role = createPool(databaseUrl)
  cleanUp(() => role.end())
  const allowed = [
    'SELECT FROM chat.messages',
    'SELECT FROM chat.conversations',
    'SELECT FROM audit.events',
    "INSERT INTO email.suppressions VALUES (1, 'a@example.com', 'bounced') ON CONFLICT (tenant_id, address) DO UPDATE SET reason = ''",
    'DELETE FROM email.suppressions WHERE tenant_id = 1',
    "SELECT FROM push.count_outcomes(1, 'message')",
    "SELECT FROM email.count_outcomes(1, 'message')",
  ]
  for (const statement of allowed) await role.query(statement)
  const refused = [
    "INSERT INTO chat.conversations VALUES (1, 'x')",
    "UPDATE chat.messages SET content = ''",
    'DELETE FROM chat.messages',
    'SELECT FROM chat.trials',
    'DELETE FROM audit.events',
    "UPDATE audit.events SET changes = '{}'",
    'SELECT FROM audit.event_identities',
    'SELECT FROM audit.events_default',
    'SELECT FROM push.deliveries',
    'SELECT FROM push.leases',
    "UPDATE push.devices SET address = ''",
    'UPDATE push.devices SET tenant_id = 2',
    'SELECT FROM email.deliveries',
    'UPDATE email.suppressions SET tenant_id = 2',
    'CREATE TABLE chat.mine ()',
    'CREATE TABLE public.mine ()',
    'CREATE SCHEMA mine',
    'CREATE ROLE mine',
  ]
  for (const statement of refused) {
    const outcome = await role.query(statement).then(
      () => 'done',
      (error: { code: string }) => error.code,
    )
    expect([statement, outcome]).toEqual([statement, '42501'])
  }
  const owners = await database.query(
    `SELECT n.nspname, pg_get_userbyid(proowner) AS owner FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
     WHERE proname = 'count_outcomes' ORDER BY 1`,
  )
  expect(owners).toEqual([
    { nspname: 'email', owner: 'email_worker' },
    { nspname: 'push', owner: 'push_worker' },
  ])
  const asChat = createPool(databaseUrl.replace('example_application', 'chat_worker'))
  cleanUp(() => asChat.end())
  // Nobody else may count, even where the schema can be seen.
  await database.query('GRANT USAGE ON SCHEMA push TO chat_worker')
  await expect(asChat.query("SELECT FROM push.count_outcomes(1, 'message')")).rejects.toMatchObject({ code: '42501' })
})
