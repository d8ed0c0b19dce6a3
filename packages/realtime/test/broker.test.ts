import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createTcpProxy, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { createRealtimeToken } from '../src/index.js'
import { parseSigningKey } from '../src/parse-signing-key.js'
import { signToken } from '../src/sign-token.js'
import { test } from './support/broker-test.js'
import { openTenant, upTo } from './support/open-real-page.js'

const strangeIds = [
  'a b',
  'x:y',
  'a+b',
  'a*b',
  'a.b/c#d',
  '%2E',
  '%',
  "it's (one)!~",
  'é ñ ß',
  '😀',
  '{username}',
  'a&b=c;d?',
  '*',
  '#',
  '.'.repeat(128),
  '語'.repeat(42),
]

test('a conversation is heard whatever its id is made of, and no other one with it', async ({ cleanUp }) => {
  const { openPage, send } = await openTenant(cleanUp)
  const { open, errors } = openPage({ token: { conversations: strangeIds } })
  const pages = strangeIds.map((id) => open(id))
  for (const page of pages) await page.becomes('live')
  for (const id of strangeIds) await send(id)
  for (const page of pages) await page.hears(1)
  expect(pages.map(({ heard }) => heard)).toEqual(strangeIds.map(() => [1]))
  expect(errors).toEqual([])
})

test.for(['bob', 'bob.evil', 'a b', 'é😀', 'x:y', '*', '%', '.'.repeat(128), '語'.repeat(42), "it's (one)!~"])(
  'a user with the id %s is let in',
  async (userId, { cleanUp }) => {
    const { openPage, send } = await openTenant(cleanUp)
    const { open, errors } = openPage({ token: { userId, conversations: ['a'] } })
    const a = open('a')
    await a.becomes('live')
    await send('a')
    await a.hears(1)
    expect(errors).toEqual([])
  },
)

test('a token of 500 conversations is taken, and so is the largest one that is made', async ({ cleanUp }) => {
  const { openPage, tenantId, key } = await openTenant(cleanUp)
  const ids = upTo(2_000).map(() => randomUUID())
  const userId = '語'.repeat(42)
  const create = (count: number) => createRealtimeToken({ userId, tenantId, conversations: ids.slice(0, count), key })
  let most = 500
  while (most < ids.length && !isRefused(() => create(most + 1))) most += 1
  expect(most).toBeLessThan(ids.length)
  for (const count of [500, most]) {
    const { open, errors } = openPage({ token: { userId, conversations: ids.slice(0, count) } })
    const page = open(ids[count - 1] ?? '')
    await page.becomes('live')
    expect(errors).toEqual([])
  }
})

function isRefused(create: () => string): boolean {
  try {
    create()
    return false
  } catch {
    return true
  }
}

test('many conversations are heard over one connection', async ({ cleanUp }) => {
  const { openPage, send } = await openTenant(cleanUp)
  const ids = upTo(300).map((index) => `c${index}`)
  const { open, errors } = openPage()
  const pages = ids.map((id) => open(id))
  for (const page of pages) await page.becomes('live')
  for (const id of ids) await send(id)
  for (const page of pages) await page.hears(1)
  expect(errors).toEqual([])
})

test('a connection that is cut is opened again, and what was sent meanwhile comes once and in order', async ({
  cleanUp,
}) => {
  const { openPage, send, url } = await openTenant(cleanUp)
  const proxy = await createTcpProxy({ target: url })
  cleanUp(() => proxy.close())
  const { open, codes } = openPage({ url: proxy.url(url) })
  const a = open('a')
  await a.becomes('live')
  for (let count = 0; count < 20; count += 1) await send('a')
  await proxy.down()
  for (let count = 0; count < 20; count += 1) await send('a')
  await a.becomes('offline')
  await proxy.up()
  for (let count = 0; count < 20; count += 1) await send('a')
  await a.hears(60)
  await a.becomes('live')
  expect(a.heard).toEqual(upTo(60))
  expect(codes()).toContain('CONNECTION_LOST')
})

test('a network that hangs is noticed', async ({ cleanUp }) => {
  const { openPage, send, url } = await openTenant(cleanUp)
  const proxy = await createTcpProxy({ target: url })
  cleanUp(() => proxy.close())
  const { open, errors } = openPage({ url: [proxy.url(url)], keepaliveSeconds: 1, timeoutSeconds: 2 })
  const a = open('a')
  await a.becomes('live')
  proxy.freeze()
  await send('a')
  await a.becomes('offline')
  expect(errors[0]?.message).toMatch(/Keepalive timeout/)
  proxy.thaw()
  await a.becomes('live')
  expect(a.heard).toEqual([1])
})

test('broadcasts that are lost are loaded, the last one too', async ({ cleanUp }) => {
  const { openPage, send } = await openTenant(cleanUp)
  const { open } = openPage({ checkEverySeconds: 2 })
  const a = open('a')
  await a.becomes('live')
  for (const sequence of upTo(100)) await send('a', { isLost: sequence % 5 === 0 })
  await a.hears(100)
  expect(a.heard).toEqual(upTo(100))
})

test('tokens that end every few seconds are renewed, and nothing is lost or comes twice', async ({ cleanUp }) => {
  const { openPage, send } = await openTenant(cleanUp)
  const { open, errors } = openPage({ token: { ttlSeconds: 3 } })
  const a = open('a')
  await a.becomes('live')
  const before = a.states.length
  const until = Date.now() + 10_000
  let sent = 0
  while (Date.now() < until) {
    await send('a')
    sent += 1
  }
  await a.hears(sent)
  expect(a.heard).toEqual(upTo(sent))
  await a.becomes('live')
  expect([a.states.slice(before).includes('offline'), errors]).toEqual([false, []])
})

test('a token that is not renewed ends the connection, whether or not the broker sees to it', async ({ cleanUp }) => {
  const { openPage, tenantId, key } = await openTenant(cleanUp)
  let tokens = 0
  const { open, codes } = openPage({
    async getToken() {
      tokens += 1
      if (tokens > 1) throw new Error('HTTP 401')
      return createRealtimeToken({ userId: 'user-1', tenantId, conversations: ['a'], ttlSeconds: 2, key })
    },
  })
  const a = open('a')
  await a.becomes('live')
  await a.becomes('offline')
  expect(codes()).toEqual(expect.arrayContaining(['TOKEN_UNAVAILABLE', 'CONNECTION_LOST']))
})

test('a conversation that the broker refuses is found among those that it does not', async ({ cleanUp }) => {
  const { openPage, send, tenantId, key } = await openTenant(cleanUp)
  const getToken = async () => {
    const token = createRealtimeToken({ userId: 'user-1', tenantId, conversations: ['a', 'c'], key })
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    const scope = `${claims.scope} mono.read:elsewhere/realtime/chat.${tenantId}.b`
    return signToken('app', { ...claims, scope }, parseSigningKey(key, { isProduction: false }))
  }
  const { open, errors } = openPage({ getToken })
  const [a, b, c] = ['a', 'b', 'c'].map((id) => open(id))
  await waitFor(() => errors.some(({ code }) => code === 'SUBSCRIPTION_REFUSED'), { what: 'b to be found' })
  await a?.becomes('live')
  await c?.becomes('live')
  await send('a')
  await send('c')
  await a?.hears(1)
  await c?.hears(1)
  const refused = errors.filter(({ code }) => code === 'SUBSCRIPTION_REFUSED')
  expect(refused.map(({ conversationId }) => conversationId)).toEqual(['b'])
  expect(b?.states.at(-1)).toBe('offline')
})

test('a token of another key is refused and told, and the next one is taken', async ({ cleanUp }) => {
  const { openPage, tenantId, key } = await openTenant(cleanUp)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  let tokens = 0
  const { open, errors } = openPage({
    async getToken() {
      tokens += 1
      const options = { userId: 'user-1', tenantId, conversations: ['a'] }
      return createRealtimeToken({ ...options, key: tokens === 1 ? privateKey : key })
    },
  })
  const a = open('a')
  await a.becomes('live')
  // RabbitMQ 3.10 closes the connection without a word.
  expect(errors[0]?.message).toMatch(/does not take the token/)
})

test('the broker compresses nothing, because each browser would take four times as much memory', async ({
  cleanUp,
}) => {
  const { url } = await openTenant(cleanUp)
  const socket = new WebSocket(url, 'mqtt', { perMessageDeflate: true })
  cleanUp(() => socket.terminate())
  await once(socket, 'open')
  expect(socket.extensions).toBe('')
})
