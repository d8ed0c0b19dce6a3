// @ts-check
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:https'
import process from 'node:process'
import pg from 'pg'
import webPush from 'web-push'
import { createNotification } from './notification.mjs'

// Plain web-push: sends a notification to every device, the next as soon as one is answered, over kept connections.

const [databaseUrl = '', publicKey = '', privateKey = '', inFlight = ''] = process.argv.slice(2)
const client = new pg.Client({ connectionString: databaseUrl })
await client.connect()
const { rows } = await client.query('SELECT address, p256dh, auth FROM push.devices ORDER BY id')
await client.end()

webPush.setVapidDetails('mailto:mono@example.com', publicKey, privateKey)
const agent = new Agent({ keepAlive: true, maxSockets: Number(inFlight) })
const { title, body, data } = createNotification([])

async function sendInTurn() {
  for (let device = rows.pop(); device; device = rows.pop()) {
    const payload = JSON.stringify({ title, body, data, tag: randomUUID() })
    const subscription = { endpoint: device.address, keys: { p256dh: device.p256dh, auth: device.auth } }
    await webPush.sendNotification(subscription, payload, { TTL: 86_400, agent })
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, sendInTurn))
agent.destroy()
