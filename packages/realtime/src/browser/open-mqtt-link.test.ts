import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from '@mono/test-support'
import type { AedesOptions } from 'aedes'
import { expect, vi } from 'vitest'
import { createTestToken } from '../../test/support/create-test-token.js'
import { startMqttBroker } from '../../test/support/start-mqtt-broker.js'
import type { LinkOptions } from './link.js'
import { LinkClosedError } from './link-closed-error.js'
import { openMqttLink } from './open-mqtt-link.js'
import { RealtimeToken, readClock } from './realtime-token.js'

const { signal } = new AbortController()
type CleanUp = (release: () => Promise<unknown>) => void

async function setUp(cleanUp: CleanUp, hooks: AedesOptions = {}) {
  const broker = await startMqttBroker(hooks)
  cleanUp(() => broker.close())
  const onMessage = vi.fn<LinkOptions['onMessage']>()
  const onLost = vi.fn<LinkOptions['onLost']>()
  const token = new RealtimeToken(createTestToken(), readClock())
  const options = { url: broker.url, token, keepaliveSeconds: 1, timeoutMs: 5_000, onMessage, onLost }
  return { broker, options, onMessage, onLost }
}

test('a connection is made with the token, a clean session, and a name that nobody guesses', async ({ cleanUp }) => {
  const passwords: string[] = []
  const { broker, options } = await setUp(cleanUp, {
    authenticate(_client, _user, password, done) {
      passwords.push(String(password))
      done(null, true)
    },
  })
  for (const link of [await openMqttLink(options, signal), await openMqttLink(options, signal)]) link.end()
  expect(passwords).toEqual([options.token.value, options.token.value])
  const names = broker.clients.map(({ id }) => id)
  for (const name of names) expect(name).toMatch(/^42\.user-1\.[\w-]{22}$/)
  expect(new Set(names).size).toBe(2)
  expect(broker.clients.every(({ clean }) => clean)).toBe(true)
})

test('what is published to a topic is heard, until it is not subscribed to', async ({ cleanUp }) => {
  const { broker, options, onMessage, onLost } = await setUp(cleanUp)
  const link = await openMqttLink(options, signal)
  expect(await link.subscribe(['chat/42/a', 'chat/42/b'])).toEqual([])
  await broker.publish('chat/42/a', 'one')
  await vi.waitFor(() => expect(onMessage).toHaveBeenCalledOnce())
  const [topic, payload] = onMessage.mock.calls[0] ?? []
  expect([topic, String(payload)]).toEqual(['chat/42/a', 'one'])
  link.unsubscribe('chat/42/a')
  await broker.publish('chat/42/b', 'two')
  await broker.publish('chat/42/a', 'three')
  await broker.publish('chat/42/b', 'four')
  await vi.waitFor(() => expect(onMessage.mock.calls.map(([, bytes]) => String(bytes)).at(-1)).toBe('four'))
  link.end()
  expect(onLost).not.toHaveBeenCalled()
})

test('the topics that the broker refuses are named, the others are heard', async ({ cleanUp }) => {
  const { options } = await setUp(cleanUp, {
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic === 'chat/42/b' ? null : subscription),
  })
  const link = await openMqttLink(options, signal)
  expect(await link.subscribe(['chat/42/a', 'chat/42/b', 'chat/42/c'])).toEqual(['chat/42/b'])
  link.end()
})

test('a subscription for which the broker closes the connection fails, and the connection is lost', async ({
  cleanUp,
}) => {
  const { options, onLost } = await setUp(cleanUp, {
    authorizeSubscribe: (client) => client?.conn.destroy(),
  })
  const link = await openMqttLink(options, signal)
  await expect(link.subscribe(['chat/42/a'])).rejects.toThrow(LinkClosedError)
  expect(onLost).toHaveBeenCalledOnce()
})

test.each([4, 5])('a token that the broker answers with %i is refused', async (returnCode) => {
  const broker = await startMqttBroker({
    authenticate: (_client, _user, _password, done) => done(Object.assign(new Error('no'), { returnCode }), false),
  })
  const token = new RealtimeToken(createTestToken(), readClock())
  const options = { url: broker.url, token, keepaliveSeconds: 1, timeoutMs: 5_000, onMessage: vi.fn(), onLost: vi.fn() }
  await expect(openMqttLink(options, signal)).rejects.toMatchObject({ name: 'RealtimeError', code: 'TOKEN_REFUSED' })
  expect(options.onLost).not.toHaveBeenCalled()
  await broker.close()
})

test('a broker that is not there is told as such', async ({ cleanUp }) => {
  const { broker, options } = await setUp(cleanUp)
  await broker.close()
  cleanUp(async () => {})
  await expect(openMqttLink(options, signal)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
})

test('a broker that does not answer is given up in time', async ({ cleanUp }) => {
  const taken: Socket[] = []
  const server = createServer((socket) => void taken.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(async () => {
    server.close()
    for (const socket of taken) socket.destroy()
  })
  const token = new RealtimeToken(createTestToken(), readClock())
  const { port } = server.address() as AddressInfo
  const options = {
    url: `ws://127.0.0.1:${port}/ws`,
    token,
    keepaliveSeconds: 1,
    timeoutMs: 100,
    onMessage() {},
    onLost() {},
  }
  await expect(openMqttLink(options, signal)).rejects.toThrow(/no connection to .* within 0.1 s/)
})

test('an address that the browser itself refuses is told as such', async ({ cleanUp }) => {
  const { options } = await setUp(cleanUp)
  const opening = openMqttLink({ ...options, url: 'ws://127.0.0.1:99999/ws' }, signal)
  await expect(opening).rejects.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('99999') })
})

test('an end before it is opened opens nothing', async ({ cleanUp }) => {
  const { broker, options } = await setUp(cleanUp)
  await expect(openMqttLink(options, AbortSignal.abort(new Error('closed')))).rejects.toThrow('closed')
  expect(broker.clients).toEqual([])
})

test('an end while it is opened is one', async ({ cleanUp }) => {
  const { options } = await setUp(cleanUp)
  const ending = new AbortController()
  const opening = openMqttLink(options, ending.signal)
  ending.abort(new Error('closed'))
  await expect(opening).rejects.toThrow('closed')
})

test('a subscription that is not answered in time ends the connection', async ({ cleanUp }) => {
  const { broker, options, onLost } = await setUp(cleanUp, { authorizeSubscribe: () => {} })
  const link = await openMqttLink({ ...options, timeoutMs: 1_000 }, signal)
  await expect(link.subscribe(['chat/42/a'])).rejects.toThrow('within 1 s')
  expect(onLost).toHaveBeenCalledOnce()
  await vi.waitFor(() => expect(broker.clients[0]?.closed).toBe(true))
})

test('a connection that the broker ends is lost, once', async ({ cleanUp }) => {
  const { broker, options, onLost } = await setUp(cleanUp)
  const link = await openMqttLink(options, signal)
  broker.clients[0]?.conn.destroy()
  await vi.waitFor(() => expect(onLost).toHaveBeenCalled())
  await expect(link.subscribe(['chat/42/a'])).rejects.toThrow()
  link.end()
  expect(onLost).toHaveBeenCalledOnce()
})
