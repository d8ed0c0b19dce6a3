import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTcpProxy, type TcpProxy } from './tcp-proxy.js'
import { waitFor } from './wait-for.js'

/** A server that answers each chunk with its upper case, and keeps what it got. */
const received: string[] = []
const served = new Set<Socket>()
const server = createServer((socket) => {
  served.add(socket)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    received.push(chunk.toString())
    socket.write(chunk.toString().toUpperCase())
  })
})
let proxy: TcpProxy
const clients: { socket: Socket; answers: string }[] = []

beforeEach(async () => {
  received.length = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await createTcpProxy({ target: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` })
})

afterEach(async () => {
  await proxy.close()
  for (const { socket } of clients.splice(0)) socket.destroy()
  for (const socket of served) socket.destroy()
  server.close()
})

async function openClient() {
  const socket = connect({ host: '127.0.0.1', port: proxy.port })
  const client = { socket, answers: '' }
  clients.push(client)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    client.answers += chunk.toString()
  })
  await once(socket, 'connect')
  return client
}

/** `events.once` would reject at the 'error' that comes with a reset. */
async function closeOf(socket: Socket) {
  await new Promise((resolve) => socket.once('close', resolve))
}

async function expectAnswer(client: { answers: string }, answers: string) {
  await waitFor(() => client.answers === answers, { what: `the answers ${answers}` })
}

test('keeps user, path and query of a URL and puts its own address in', () => {
  expect(proxy.url('amqp://user:secret@broker:5672/vhost?heartbeat=5')).toBe(
    `amqp://user:secret@127.0.0.1:${proxy.port}/vhost?heartbeat=5`,
  )
})

test('passes bytes on in both directions', async () => {
  const client = await openClient()
  client.socket.write('hello')
  await expectAnswer(client, 'HELLO')
})

test('a cut resets what is open and lets new connections through', async () => {
  const client = await openClient()
  client.socket.write('a')
  await expectAnswer(client, 'A')
  const closed = closeOf(client.socket)
  proxy.cut()
  await closed
  const next = await openClient()
  next.socket.write('b')
  await expectAnswer(next, 'B')
})

test('frozen, it holds back what is sent until it thaws, also on connections made meanwhile', async () => {
  const client = await openClient()
  client.socket.write('a')
  await expectAnswer(client, 'A')
  proxy.freeze()
  client.socket.write('b')
  const late = await openClient()
  late.socket.write('c')
  await waitFor(() => proxy.connections === 2, { what: 'the second connection' })
  expect(received).toEqual(['a'])
  proxy.thaw()
  await expectAnswer(client, 'AB')
  await expectAnswer(late, 'C')
})

test('frozen from the target on, it delivers what is sent and holds back the answers', async () => {
  const client = await openClient()
  proxy.freeze('from-target')
  client.socket.write('a')
  await waitFor(() => received.length === 1, { what: 'the request' })
  expect(client.answers).toBe('')
  proxy.thaw()
  await expectAnswer(client, 'A')
})

test('delayed, it passes everything on later and in order; without the delay, at once', async () => {
  const client = await openClient()
  proxy.delay(100)
  const since = performance.now()
  client.socket.write('a')
  await waitFor(() => received.length === 1, { what: 'the request', intervalMs: 1 })
  expect(performance.now() - since).toBeGreaterThanOrEqual(99)
  client.socket.write('b')
  await waitFor(() => received.length === 2, { what: 'the second request' })
  proxy.delay(0)
  client.socket.write('c')
  await expectAnswer(client, 'ABC')
  expect(received).toEqual(['a', 'b', 'c'])
})

test('down, it refuses connections; up, it takes them on the same port', async () => {
  const client = await openClient()
  await waitFor(() => proxy.connections === 1, { what: 'the connection' })
  const closed = closeOf(client.socket)
  await proxy.down()
  await closed
  await expect(openClient()).rejects.toThrow('ECONNREFUSED')
  await proxy.up()
  const next = await openClient()
  next.socket.write('a')
  await expectAnswer(next, 'A')
})

test('down by reset, it resets each connection and counts it', async () => {
  const client = await openClient()
  const closed = closeOf(client.socket)
  await proxy.down('reset')
  await closed
  await expect(openClient().then(({ socket }) => closeOf(socket))).rejects.toThrow('ECONNRESET')
  expect([proxy.attempts, proxy.connections]).toEqual([2, 0])
  await proxy.up()
  const next = await openClient()
  next.socket.write('a')
  await expectAnswer(next, 'A')
})

test('flapping, it ends open and new connections by themselves; steady, it lets new ones live', async () => {
  const open = await openClient()
  proxy.flap({ min: 5, max: 20 })
  await closeOf(open.socket)
  const doomed = await openClient()
  await closeOf(doomed.socket)
  proxy.steady()
  const next = await openClient()
  next.socket.write('a')
  await expectAnswer(next, 'A')
  expect(proxy.attempts).toBe(3)
})
