// @ts-check
// A relay as a process of its own, which a test may freeze. It tells of each message before it sends it.
import { createMessageQueue } from '@mono/message-queue'
import pg from 'pg'
import { startOutboxRelay } from '../../dist/outbox/index.js'
import { findFailure, sendCommitted } from '../../dist/services/send-committed.js'

// biome-ignore lint/style/noProcessEnv: a process of its own, whose test says by it where the services are
const { DATABASE_URL: databaseUrl = '', RABBITMQ_URL: url = '', LEASE_MS: leaseMs } = process.env

const messageQueue = createMessageQueue({ url })
startOutboxRelay({
  pool: new pg.Pool({ connectionString: databaseUrl }),
  databaseUrl,
  leaseMs: Number(leaseMs),
  findFailure,
  async send(message) {
    process.stdout.write(`${message.messageId}\n`)
    await sendCommitted(messageQueue, message)
  },
})
