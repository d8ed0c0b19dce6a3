// @ts-check
import { readFileSync } from 'node:fs'
import https, { Agent } from 'node:https'
import process from 'node:process'
import { connect } from 'node:tls'
import { cert, initializeApp } from 'firebase-admin/app'
import { getMessaging } from 'firebase-admin/messaging'
import pg from 'pg'
import { createNotification } from './notification.mjs'

// Plain firebase-admin: send() to every device, the next as soon as one is answered, over kept connections.

const [databaseUrl = '', serviceAccountFile = '', port = '', inFlight = '', count = ''] = process.argv.slice(2)
const client = new pg.Client({ connectionString: databaseUrl })
await client.connect()
const { rows } = await client.query('SELECT address FROM push.devices ORDER BY id LIMIT $1', [count])
await client.end()

/** The library has the addresses of Google in its code: they lead to the sink. */
class SinkAgent extends Agent {
  /** @override @param {import('node:tls').ConnectionOptions} options */
  createConnection({ servername, host }) {
    return connect({ host: '127.0.0.1', port: Number(port), servername: servername ?? host ?? '' })
  }
}

const httpAgent = new SinkAgent({ keepAlive: true, maxSockets: Number(inFlight) })
// Its request for an access token takes no agent from its options.
https.globalAgent = httpAgent
const credential = cert(JSON.parse(readFileSync(serviceAccountFile, 'utf8')))
const messaging = getMessaging(initializeApp({ credential, httpAgent }))
const { title, body, data = {} } = createNotification([])
const texts = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value)]))

async function sendInTurn() {
  for (let device = rows.pop(); device; device = rows.pop()) {
    const android = { ttl: 86_400_000, priority: /** @type {const} */ ('normal'), notification: { tag: 'tag' } }
    await messaging.send({ token: device.address, notification: { title, body }, data: texts, android })
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, sendInTurn))
process.exit()
