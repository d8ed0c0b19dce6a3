// @ts-check
import { createPrivateKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRealtimeToken } from '@mono/realtime'
import { generate, parser } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { createChatMessage } from './chat-message.mjs'

// Connections that read nothing after their subscription, and keep saying that they are alive: what a browser with a bad
// network looks like to the broker, at its worst.

const keepaliveSeconds = 20
const quietMs = 5_000

process.on('disconnect', () => process.exit())

/** @type {(import('./realtime-processes.mjs').Means & { first: number, count: number })[]} */
const [work] = await once(process, 'message')
const { realtime, conversations, count } = /** @type {NonNullable<typeof work>} */ (work)
const key = createPrivateKey(readFileSync(realtime.keyFile))
const seen = { connections: count, received: 0, closed: 0 }
let lastAt = 0

/** @param {number} index */
async function openSlow(index) {
  const { tenantId, conversationId } = createChatMessage(index, conversations)
  const token = createRealtimeToken({
    userId: `slow-${index}`,
    tenantId,
    conversations: [conversationId],
    ttlSeconds: 3_600,
    key,
  })
  const socket = new WebSocket(realtime.url, 'mqtt')
  const reader = parser({ protocolVersion: 4 })
  reader.on('packet', ({ cmd }) => {
    if (cmd !== 'publish') return
    seen.received += 1
    lastAt = Date.now()
  })
  socket.on('message', (data) => reader.parse(/** @type {Buffer} */ (data)))
  socket.on('error', () => {})
  socket.on('close', () => {
    seen.closed += 1
  })
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  await once(socket, 'open')
  const connect = { clientId: `${sub}.${randomBytes(16).toString('base64url')}`, keepalive: keepaliveSeconds }
  socket.send(generate({ cmd: 'connect', clean: true, username: '', password: Buffer.from(token), ...connect }))
  await once(reader, 'packet')
  const topic = `chat/${tenantId}/${conversationId}`
  socket.send(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] }))
  await once(reader, 'packet')
  socket.pause()
  setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(generate({ cmd: 'pingreq' })), 10_000)
  return socket
}

const sockets = await Promise.all(Array.from({ length: count }, (_, index) => openSlow(index)))
process.send?.('ready')
process.on('message', async () => {
  for (const socket of sockets) socket.resume()
  lastAt = Date.now()
  while (Date.now() - lastAt < quietMs) await sleep(100)
  process.send?.(seen)
})
