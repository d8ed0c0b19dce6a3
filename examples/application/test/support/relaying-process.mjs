// @ts-check
// A relay as a process of its own, which says that it sends its first message and freezes then, until it gets SIGCONT.
import { createMessageQueue } from '@mono/message-queue'
import pg from 'pg'
import { startOutboxRelay } from '../../dist/outbox/index.js'
import { findFailure, sendCommitted } from '../../dist/services/send-committed.js'

// biome-ignore lint/style/noProcessEnv: a process of its own, whose test says by it where the services are
const { DATABASE_URL: databaseUrl = '', RABBITMQ_URL: url = '', LEASE_MS: leaseMs } = process.env

let isFirst = true
const messageQueue = createMessageQueue({ url })
startOutboxRelay({
  pool: new pg.Pool({ connectionString: databaseUrl }),
  databaseUrl,
  leaseMs: Number(leaseMs),
  findFailure,
  async send(message) {
    if (isFirst) {
      isFirst = false
      process.stdout.write('freezing\n')
      process.kill(process.pid, 'SIGSTOP')
    }
    await sendCommitted(messageQueue, message)
  },
})
