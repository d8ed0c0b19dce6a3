import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { GreetingWatch } from './greeting-watch.js'

const times = { patienceMs: 100, scoutEveryMs: 30, lookEveryMs: 10 }
const cleanUps: (() => void)[] = []

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

/** A server that greets while `greets` says so, and those who come while it does not, never. */
async function setUp(greets: () => boolean) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    if (greets()) socket.write('220 mail.example.com\r\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const watch = new GreetingWatch({ host: '127.0.0.1', port, times })
  cleanUps.push(() => {
    watch.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const connect = async () => {
    const socket = await watch.connect()
    cleanUps.push(() => socket.destroy())
    return socket
  }
  return { connect, sockets }
}

test('a connection that a server has forgotten is ended when the server greets others; one that it greeted stays', async () => {
  let greets = true
  const { connect, sockets } = await setUp(() => greets)
  const greeted = await connect()
  await once(greeted, 'data')
  greets = false
  const forgotten = await connect()
  const closed = new Promise((resolve) => forgotten.once('close', resolve))
  // Those of scouts, which are not greeted either.
  await expect.poll(() => sockets.length).toBeGreaterThan(3)
  expect(forgotten.destroyed).toBe(false)
  greets = true
  await closed
  expect(greeted.destroyed).toBe(false)
})
