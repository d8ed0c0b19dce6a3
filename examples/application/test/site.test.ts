import { createTcpProxy, test } from '@mono/test-support'
import { expect } from 'vitest'
import { createPool } from '../src/database.js'
import { letApplicationCount, openSite, openSiteOn } from './support/site-under-test.js'

const endpoint = 'https://fcm.googleapis.com/fcm/send/one'
const subscription = { endpoint, expirationTime: null, keys: { p256dh: 'key', auth: 'secret' } }

test('a message is accepted with its row and its place in the outbox, and the same one again changes nothing', async ({
  database,
}) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  const message = { messageId: 'message-1', content: 'Lunch? <b>😀</b>' }
  const first = await ada.send('POST', '/conversations/lunch/messages', message)
  expect(first).toMatchObject({ status: 202, body: { ...message, accepted: true, brokerConnected: false } })
  const again = await ada.send('POST', '/conversations/lunch/messages', message)
  expect(again.body.timestamp).toBe(first.body.timestamp)
  const other = await ada.send('POST', '/conversations/lunch/messages', { ...message, content: 'Dinner?' })
  expect(other.status).toBe(409)
  const { body } = await ada.get('/conversations/lunch/messages')
  expect(body).toMatchObject({ messages: [], pending: [{ ...message, state: 'waiting' }] })
  expect(await database.query('SELECT order_key FROM example.outbox ORDER BY type')).toEqual([
    { order_key: 'Conversation lunch' },
    { order_key: 'lunch' },
  ])
})

test('a notification that comes again is sent once, and another with its id is refused', async ({ database }) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  const notification = { notificationId: 'one', title: 'Release', body: 'It is out.', sendEmail: true }
  const notify = (changes = {}) => ada.send('POST', '/notifications', { ...notification, ...changes })
  for (const { status, body } of [await notify(), await notify()])
    expect({ status, body }).toMatchObject({ status: 202, body: { notificationId: 'one', accepted: true } })
  for (const change of [{ title: 'Other' }, { body: 'Other' }, { sendEmail: false }])
    expect([change, (await notify(change)).status]).toEqual([change, 409])
  expect(await database.query('SELECT type FROM example.outbox ORDER BY type')).toEqual([
    { type: 'audit.event' },
    { type: 'email.notification' },
    { type: 'push.notification' },
  ])
})

test('what chat-worker has stored is told with its number, and is pending no more', async ({ database }) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  for (const messageId of ['a', 'b'])
    await ada.send('POST', '/conversations/lunch/messages', { messageId, content: '' })
  await database.query("DELETE FROM example.outbox WHERE message_id = 'a'")
  await database.query("UPDATE example.outbox SET failed_at = now() WHERE message_id = 'b'")
  const states = async () => (await ada.get('/conversations/lunch/messages')).body.pending
  expect(await states()).toMatchObject([
    { messageId: 'a', state: 'sent' },
    { messageId: 'b', state: 'refused' },
  ])
  await store(database.query, { tenantId: 1, messageId: 'a', sequence: 1 })
  expect(await states()).toMatchObject([{ messageId: 'b' }])
  const after = (sequence: number) => [{ conversationId: 'lunch', after: sequence }]
  expect((await ada.send('POST', '/messages-after', after(0))).body).toMatchObject([
    { conversationId: 'lunch', messages: [{ messageId: 'a', sequence: 1, tenantId: 1 }] },
  ])
  expect((await ada.send('POST', '/messages-after', after(1))).body).toMatchObject([{ messages: [] }])
  expect((await ada.get('/conversations')).body).toEqual([
    { conversationId: 'lunch', title: 'Lunch', lastSequence: 1 },
    { conversationId: 'release', title: 'Release', lastSequence: 0 },
  ])
})

test('another tenant’s things do not exist, whatever their ids', async ({ database }) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  const zoe = await site.logIn(2, 'zoe')
  const { body } = await ada.send('POST', '/notifications', { title: 'Hello', body: '' })
  await ada.send('POST', '/devices', subscription)
  await store(database.query, { tenantId: 1, messageId: 'a', sequence: 1 })
  await audit(database.query, 1)
  const foreign = [
    await zoe.get('/conversations/lunch/messages'),
    await zoe.send('POST', '/conversations/lunch/messages', { content: 'Hi' }),
    await zoe.send('POST', '/messages-after', [{ conversationId: 'lunch', after: 0 }]),
    await zoe.send('POST', '/messages-after', [
      { conversationId: 'garden', after: 0 },
      { conversationId: 'lunch', after: 0 },
    ]),
    await zoe.get(`/notifications/${body.notificationId}`),
    await zoe.send('DELETE', '/devices', { channel: 'web', address: endpoint }),
    await zoe.get('/conversations/nonesuch/messages'),
    await zoe.get('/conversations/%00/messages'),
  ]
  expect(foreign.map(({ status }) => status)).toEqual(foreign.map(() => 404))
  expect((await zoe.get('/audit-events')).body).toEqual([])
  expect((await zoe.get('/devices')).body).toEqual([])
  expect((await zoe.get('/conversations')).body).toMatchObject([{ conversationId: 'garden' }])
  expect((await ada.get('/audit-events')).body).toMatchObject([{ eventId: 'event', changes: '{"price": 1.50}' }])
  expect(await site.request('/session', { method: 'POST', body: '{"tenantId":2,"userId":"ada"}' })).toMatchObject({
    status: 404,
  })
})

test('without a session, its token or the site’s own origin nothing is done', async ({ database }) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  const grace = await site.logIn(1, 'grace')
  const message = { content: 'Hi' }
  const path = '/conversations/lunch/messages'
  const attempts: [number, Record<string, string>][] = [
    [401, { cookie: '' }],
    [401, { cookie: 'example-session=AAAA' }],
    [403, { 'x-csrf-token': '' }],
    [403, { 'x-csrf-token': grace.csrfToken }],
    [403, { origin: 'https://evil.example' }],
    [403, { origin: 'http://localhost:81' }],
    [403, { origin: 'null' }],
  ]
  for (const [status, headers] of attempts) {
    expect([headers, (await ada.send('POST', path, message, headers)).status]).toEqual([headers, status])
  }
  const reading = { headers: { cookie: ada.cookie, 'x-csrf-token': grace.csrfToken } }
  expect((await site.request('/conversations', reading)).status).toBe(403)
  const foreignLogin = {
    method: 'POST',
    body: '{"tenantId":1,"userId":"ada"}',
    headers: { origin: 'https://evil.example' },
  }
  expect((await site.request('/session', foreignLogin)).status).toBe(403)
  expect((await site.request('/conversations')).status).toBe(401)
  expect(await database.query('SELECT FROM example.outbox')).toEqual([])
  expect((await ada.send('DELETE', '/session', {})).status).toBe(204)
  expect((await ada.get('/session')).status).toBe(401)
})

test('the cookie cannot be read by scripts or sent along from other sites', async ({ database }) => {
  const site = await openSite(database)
  const { headers } = await site.request('/session', { method: 'POST', body: '{"tenantId":1,"userId":"ada"}' })
  expect(headers.get('set-cookie')).toMatch(/^example-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
})

test('bad input is refused with its fields, and nothing of it is kept', async ({ database }) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  const path = '/conversations/lunch/messages'
  const bad: [string, string, unknown, string][] = [
    ['POST', path, {}, 'content'],
    ['POST', path, { content: 'x'.repeat(64 * 1024 + 1) }, 'content'],
    ['POST', path, { content: 'a\u0000' }, 'content'],
    ['POST', path, { content: '\ud800' }, 'content'],
    ['POST', path, { content: '', messageId: 'x'.repeat(129) }, 'messageId'],
    ['POST', path, { content: '', tenantId: 2 }, ''],
    ['POST', path, 'text', ''],
    ['POST', '/notifications', { title: '', body: '' }, 'title'],
    ['POST', '/notifications', { title: 'x'.repeat(3_500), body: '' }, ''],
    ['POST', '/messages-after', [{ conversationId: 'lunch', after: -1 }], '0.after'],
    ['POST', '/devices', { ...subscription, endpoint: 'http://127.0.0.1/' }, ''],
    ['POST', '/devices', { channel: 'apns', address: 'xyz' }, 'address'],
  ]
  for (const [method, to, body, field] of bad) {
    const answer = await ada.send(method, to, body)
    expect([body, answer.status]).toEqual([body, 400])
    expect(answer.body.fields.map((issue: { path: string }) => issue.path)).toContain(field)
  }
  expect((await ada.send('POST', path, { content: 'x'.repeat(1024 * 1024) })).status).toBe(413)
  const largest = '🐇'.repeat(16 * 1024)
  expect((await ada.send('POST', path, { content: largest })).status).toBe(202)
  expect(await database.query('SELECT type FROM example.outbox ORDER BY type')).toEqual([
    { type: 'audit.event' },
    { type: 'chat.message' },
  ])
  expect(site.errors).toEqual([])
})

test('everybody of the tenant is notified by push and mail, and what can be known of it is told', async ({
  database,
}) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  await ada.send('POST', '/devices', subscription)
  await database.query("INSERT INTO email.suppressions VALUES (1, 'grace@example.com', 'bounced')")
  const notification = { title: 'Release', body: 'It is out.', sendEmail: true }
  const { status, body } = await ada.send('POST', '/notifications', notification)
  expect([status, body.accepted]).toEqual([202, true])
  const rows = await database.query<{ body: string }>('SELECT body FROM example.outbox ORDER BY type')
  const [event, mail, push] = rows.map((row) => JSON.parse(row.body))
  expect(event).toMatchObject({ eventType: 'USERS_NOTIFIED', userId: 'ada', entityId: body.notificationId })
  expect(mail).toMatchObject({ to: ['ada@example.com', 'grace@example.com'], template: 'notification' })
  expect(push).toMatchObject({ recipientIds: ['ada', 'grace'], title: 'Release', tenantId: 1 })
  await database.query("DELETE FROM example.outbox WHERE type = 'push.notification'")
  expect((await ada.get(`/notifications/${body.notificationId}`)).body).toEqual({
    notificationId: body.notificationId,
    title: 'Release',
    push: { state: 'sent', devices: 1, disabled: 0, withoutDevice: 1, outcomes: null },
    email: { state: 'waiting', addresses: 2, suppressed: 1, outcomes: null },
  })
})

test('what each channel did is read back from the ledgers, counted, and of the own message only', async ({
  database,
}) => {
  const site = await openSite(database)
  await letApplicationCount(database)
  const ada = await site.logIn(1, 'ada')
  const report = async (path: string) => {
    const { push, email } = (await ada.get(path)).body
    return { push: push.outcomes, email: email?.outcomes }
  }
  const quiet = (await ada.send('POST', '/notifications', { title: 'Quiet', body: '' })).body.notificationId
  const loud = (await ada.send('POST', '/notifications', { title: 'Loud', body: '', sendEmail: true })).body
    .notificationId
  expect(await report(`/notifications/${loud}`)).toEqual({ push: [], email: [] })
  const [ids] = await database.query<{ push: string; email: string }>(
    `SELECT push_message_id AS push, email_message_id AS email FROM example.notifications WHERE notification_id = $1`,
    [loud],
  )
  await database.query(
    `INSERT INTO push.deliveries (tenant_id, message_id, device_id, state, attempts, last_code) VALUES
       (1, $1, 1, 'sent', 2, 'HTTP_503'), (1, $1, 2, 'sent', 1, NULL), (1, $1, 3, 'failed', 1, 'HTTP_410'),
       (1, $1, 4, 'failed', 1, 'HTTP_410'), (1, $1, 5, 'failed', 1, 'CHANNEL_OFF'), (1, $1, 6, 'sending', 2, 'HTTP_503'),
       (1, 'another', 1, 'unknown', 1, 'TIMEOUT'), (2, $1, 7, 'unknown', 1, 'TIMEOUT')`,
    [ids?.push],
  )
  await database.query(
    `INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, last_code) VALUES
       (1, $1, 'ada@example.com', 'sent', NULL), (1, $1, 'grace@example.com', 'failed', 'SUPPRESSED'),
       (2, $1, 'zoe@example.org', 'retry', 'SMTP_450')`,
    [ids?.email],
  )
  expect(await report(`/notifications/${loud}`)).toEqual({
    push: [
      { outcome: 'failed', reason: 'CHANNEL_OFF', count: 1 },
      { outcome: 'failed', reason: 'HTTP_410', count: 2 },
      { outcome: 'sending', count: 1 },
      { outcome: 'sent', count: 2 },
    ],
    email: [
      { outcome: 'failed', reason: 'SUPPRESSED', count: 1 },
      { outcome: 'sent', count: 1 },
    ],
  })
  expect(await report(`/notifications/${quiet}`)).toEqual({ push: [], email: undefined })
})

test('devices come again, change their user, are renewed and taken away', async ({ database }) => {
  const site = await openSite(database)
  const ada = await site.logIn(1, 'ada')
  const grace = await site.logIn(1, 'grace')
  await ada.send('POST', '/devices', subscription)
  await database.query("UPDATE push.devices SET disabled_at = now(), disabled_reason = 'gone'")
  expect((await grace.send('POST', '/devices', subscription)).status).toBe(204)
  expect((await ada.get('/devices')).body).toEqual([])
  expect((await grace.get('/devices')).body).toEqual([{ channel: 'web', address: endpoint, disabledReason: null }])
  const renewed = { ...subscription, endpoint: `${endpoint}-renewed` }
  expect((await ada.send('PUT', '/devices', { oldEndpoint: endpoint, subscription: renewed })).status).toBe(204)
  expect((await grace.get('/devices')).body).toHaveLength(1)
  await grace.send('PUT', '/devices', { oldEndpoint: endpoint, subscription: renewed })
  expect((await grace.get('/devices')).body).toMatchObject([{ address: renewed.endpoint }])
  const phone = { channel: 'apns', address: 'ab01', environment: 'sandbox' }
  await grace.send('POST', '/devices', phone)
  expect(await database.query("SELECT environment FROM push.devices WHERE channel = 'apns'")).toEqual([
    { environment: 'sandbox' },
  ])
  expect((await grace.send('DELETE', '/devices', { channel: 'apns', address: 'ab01' })).status).toBe(204)
})

test('a token for the broker names the user’s own conversations', async ({ database }) => {
  const site = await openSite(database)
  const { body } = await (await site.logIn(2, 'zoe')).send('POST', '/realtime-token', {})
  const [, claims = ''] = body.split('.')
  const { scope } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))
  expect(scope).toContain('mono/realtime/chat.2.garden')
  expect(scope).not.toContain('chat.1.')
})

test('while the database is away the answer says that nothing was accepted, and works again when it is back', async ({
  database,
  cleanUp,
}) => {
  await openSite(database)
  const proxy = await createTcpProxy({ target: database.url })
  cleanUp(() => proxy.close())
  const pool = createPool(proxy.url(database.url))
  cleanUp(() => pool.end())
  const site = openSiteOn(pool)
  const ada = await site.logIn(1, 'ada')
  const send = () => ada.send('POST', '/conversations/lunch/messages', { messageId: 'one', content: 'Hi' })
  await proxy.down()
  expect(await send()).toMatchObject({ status: 503, body: { accepted: false } })
  expect(await site.request('/readyz')).toMatchObject({ status: 503, body: { database: 'away' } })
  expect(await site.request('/livez')).toMatchObject({ status: 200 })
  expect((await site.request('/metrics')).body).toContain('example_outbox_waiting Nan')
  await proxy.up()
  expect((await send()).status).toBe(202)
  expect(await site.request('/readyz')).toMatchObject({ status: 200, body: { broker: 'away' } })
  expect((await site.request('/metrics')).body).toContain('example_outbox_waiting 2')
})

type Query = (sql: string, parameters?: unknown[]) => Promise<unknown>

async function store(query: Query, { tenantId, messageId, sequence }: Record<string, unknown>): Promise<void> {
  await query(
    `INSERT INTO chat.messages (tenant_id, message_id, conversation_id, sequence, sender_id, content, message_type, sent_at)
     VALUES ($1, $2, 'lunch', $3, 'ada', '', 'text', now())`,
    [tenantId, messageId, sequence],
  )
  await query("INSERT INTO chat.conversations VALUES ($1, 'lunch', $2)", [tenantId, sequence])
}

async function audit(query: Query, tenantId: number): Promise<void> {
  await query(
    `INSERT INTO audit.events
       (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key)
     VALUES ($1, 'event', now(), 'T', 'ada', 'E', 'e', '{"price": 1.50}', 'audit.track')`,
    [tenantId],
  )
}
