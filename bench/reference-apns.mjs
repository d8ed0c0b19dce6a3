// @ts-check
import process from 'node:process'
import apn from '@parse/node-apn'
import pg from 'pg'
import { createNotification } from './notification.mjs'

// Plain node-apn: sends to every device, the next as soon as one is answered, over its one connection.

const [databaseUrl = '', key = '', port = '', inFlight = '', count = ''] = process.argv.slice(2)
const client = new pg.Client({ connectionString: databaseUrl })
await client.connect()
const { rows } = await client.query('SELECT address FROM push.devices ORDER BY id LIMIT $1', [count])
await client.end()

const provider = new apn.Provider({
  token: { key, keyId: 'BENCHKEY01', teamId: 'BENCHTEAM1' },
  address: 'localhost',
  port: Number(port),
  production: true,
  connectionRetryLimit: 0,
})
const { title, body, data } = createNotification([])

async function sendInTurn() {
  for (let device = rows.pop(); device; device = rows.pop()) {
    const notification = new apn.Notification({ topic: 'com.example.app', alert: { title, body }, payload: data })
    notification.expiry = Math.floor(Date.now() / 1000) + 86_400
    notification.pushType = 'alert'
    const { failed } = await provider.send(notification, device.address)
    if (failed.length > 0) throw new Error(`Expected every push to be taken, found ${JSON.stringify(failed[0])}.`)
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, sendInTurn))
process.exit()
