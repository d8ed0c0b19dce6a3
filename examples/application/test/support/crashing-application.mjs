// @ts-check
// Commits one message of each conversation, then sends, and kills itself at the point that it is told: `committed`, before
// anything is sent, or `confirmed`, when the broker has confirmed a message whose row is still there.
import pg from 'pg'
import { enqueue, startOutboxRelay } from '../../dist/outbox/index.js'

const [point, ...bodies] = process.argv.slice(2)
// biome-ignore lint/style/noProcessEnv: a process of its own, whose test says by it where the services are
const { DATABASE_URL: databaseUrl = '', RABBITMQ_URL: url = '' } = process.env

const dieHere = () => process.kill(process.pid, 'SIGKILL')

const pool = new pg.Pool({ connectionString: databaseUrl })
const client = await pool.connect()
await client.query('BEGIN')
await enqueue(
  client,
  bodies.map((body) => {
    const { messageId, conversationId } = JSON.parse(body)
    return { messageId, tenantId: 1, type: 'chat.message', orderKey: conversationId, body }
  }),
)
await client.query('COMMIT')
client.release()
if (point === 'committed') dieHere()
const { createMessageQueue } = await import('@mono/message-queue')
const { findFailure, sendCommitted } = await import('../../dist/services/send-committed.js')
const messageQueue = createMessageQueue({ url })
startOutboxRelay({
  pool,
  databaseUrl,
  leaseMs: 300,
  pollMs: 50,
  findFailure,
  async send(message) {
    await sendCommitted(messageQueue, message)
    dieHere()
  },
})
