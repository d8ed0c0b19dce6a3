import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { askWhyRefused } from './ask-why-refused.js'
import { toBrokerEndpoint } from './broker-endpoint.js'

const closing: (() => void)[] = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function askPeer(onConnection: (socket: Socket) => void, signal?: AbortSignal) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onConnection(socket)
  })
  closing.push(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const endpoint = toBrokerEndpoint(`amqp://u:p@127.0.0.1:${port}/v`, { heartbeatSeconds: 10 })
  return await askWhyRefused(endpoint, signal)
}

/** One frame of a method on channel 0. */
function toFrame(...payload: number[]): Buffer {
  return Buffer.from([1, 0, 0, 0, 0, 0, payload.length, ...payload, 0xce])
}

test('reads the reply code and the text of a close, however it is cut into packets', async () => {
  const close = toFrame(0, 10, 0, 50, 530 >> 8, 530 & 0xff, 2, 0x6e, 0x6f, 0, 10, 0, 40)
  const refusal = await askPeer((socket) => {
    socket.write(close.subarray(0, 5))
    setImmediate(() => socket.write(close.subarray(5)))
  })
  expect(refusal).toEqual({ code: 530, text: 'no' })
})

test.each([
  ['hangs up', (socket: Socket) => socket.end()],
  ['speaks HTTP', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['closes without saying why', (socket: Socket) => socket.write(toFrame(0, 10, 0, 50))],
  ['sends without end', (socket: Socket) => socket.write(Buffer.alloc(100_000, 0xff))],
  ['opens the connection', (socket: Socket) => socket.write(toFrame(0, 10, 0, 41, 0))],
])('learns nothing from a peer that %s', async (_what, onConnection) => {
  expect(await askPeer(onConnection)).toBeUndefined()
})

test('ends with its signal', async () => {
  const abort = new AbortController()
  const asked = askPeer(() => abort.abort(), abort.signal)
  expect(await asked).toBeUndefined()
})

test('learns nothing where nobody listens', async () => {
  const endpoint = toBrokerEndpoint('amqp://127.0.0.1:1/v', { heartbeatSeconds: 10 })
  expect(await askWhyRefused(endpoint)).toBeUndefined()
})
