import { serializePayload } from '@mono/contracts'
import { createMessageQueue, type MessageQueue } from '@mono/message-queue'
import {
  test as base,
  migrate,
  type TestDatabase,
  type TestFixtures,
  type WorkerProcess,
  waitFor,
} from '@mono/test-support'
import type { Pool } from 'pg'
import type { TestAPI } from 'vitest'
import { runMigrations } from '../../src/migrations.js'
import { enqueue, type OutboxMessage, startOutboxRelay } from '../../src/outbox/index.js'
import type { OutboxRelayOptions } from '../../src/outbox/relay.js'
import { findFailure, sendCommitted } from '../../src/services/send-committed.js'

export const conversations = Array.from({ length: 10 }, (_, index) => `room-${index}`)

export interface OutboxFixtures {
  /** The application's schema is there. */
  pool: Pool
  /** Starts relays, each with a client and a pool of its own, as in another process; they are stopped after the test. */
  openRelay(settings?: RelaySettings): RelayUnderTest
  /** A chat-worker stores what was sent; it is started for the tests that name it. */
  arrivals: Arrivals
}

export interface RelaySettings extends Partial<OutboxRelayOptions> {
  brokerUrl?: string
  /** The client must have an answer within so many milliseconds. Default 2,000. */
  deadlineMs?: number
}

export interface RelayUnderTest {
  /** The ids of what it has sent, in order. */
  sent: string[]
  failed: { messageId: string; code: string }[]
  /** The errors that held it up. */
  held: { code?: string }[]
  /** Resolves when errors of this code have held it up so often. */
  untilHeldBy(code: string, times: number): Promise<void>
  stop(): Promise<void>
}

export interface Arrivals {
  /** Resolves when so many messages are stored. */
  until(count: number): Promise<void>
  /** By conversation, the numbers in the order in which they were stored. */
  read(): Promise<Record<string, number[]>>
  /** The broker's deliveries: more than is stored if something was sent twice. */
  countDelivered(): Promise<number>
}

export const test: TestAPI<TestFixtures & OutboxFixtures> = base.extend<OutboxFixtures>({
  pool: async ({ database }, use) => {
    await runMigrations(database.url)
    await use(database.createPool())
  },
  openRelay: async ({ database, vhost, cleanUp }, use) => {
    await use((settings = {}) =>
      openRelay({ pool: database.createPool(), databaseUrl: database.url, brokerUrl: vhost.url, ...settings }, cleanUp),
    )
  },
  arrivals: async ({ database, vhost, workers, pool: _migrated }, use) => {
    await migrate('chat-worker', database.url)
    const worker = workers.spawn('chat-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
    await worker.ready()
    await use(watchArrivals(database, worker))
    await worker.terminate()
  },
})

/** Number so many of a conversation; the number is its content. */
export function chatMessage(conversationId: string, number: number): OutboxMessage {
  const messageId = `${conversationId}-${number}`
  const body = serializePayload('chat.message', {
    messageId,
    conversationId,
    senderId: 'ada',
    tenantId: 1,
    content: String(number),
    messageType: 'text',
    timestamp: new Date(),
  })
  return { messageId, tenantId: 1, type: 'chat.message', orderKey: conversationId, body }
}

/** An event, of a type that goes its own way. */
export function auditEvent(messageId: string): OutboxMessage {
  const body = serializePayload('audit.event', {
    eventType: 'USER_UPDATED',
    userId: 'ada',
    tenantId: 1,
    entityType: 'User',
    entityId: 'ada',
    changes: {},
    timestamp: new Date(),
  })
  return { messageId, tenantId: 1, type: 'audit.event', orderKey: 'User ada', body }
}

/** Commits one transaction with these messages. */
export async function commit(pool: Pool, messages: readonly OutboxMessage[]): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await enqueue(client, messages)
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}

/** Messages `from` to `to` of each conversation; each conversation's one after the other, each in a transaction. */
export async function commitNumbers(pool: Pool, { from = 0, to }: { from?: number; to: number }): Promise<void> {
  await Promise.all(
    conversations.map(async (conversationId) => {
      for (let number = from; number < to; number += 1) await commit(pool, [chatMessage(conversationId, number)])
    }),
  )
}

/** Each conversation with the numbers 0, 1, 2 … */
export function inOrder(count: number): Record<string, number[]> {
  return Object.fromEntries(conversations.map((name) => [name, Array.from({ length: count }, (_, index) => index)]))
}

export async function countWaiting(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM example.outbox')
  return row?.count ?? 0
}

export async function untilSent(database: TestDatabase, left = 0): Promise<void> {
  await waitFor(async () => (await countWaiting(database)) === left, {
    what: `the outbox to hold ${left}`,
    timeoutMs: 60_000,
  })
}

type OpenOptions = RelaySettings & Pick<OutboxRelayOptions, 'pool' | 'databaseUrl'> & { brokerUrl: string }

function openRelay(
  { brokerUrl, deadlineMs = 2_000, ...options }: OpenOptions,
  cleanUp: TestFixtures['cleanUp'],
): RelayUnderTest {
  const messageQueue: MessageQueue = createMessageQueue({ url: brokerUrl, deadlineMs })
  const under: Pick<RelayUnderTest, 'sent' | 'failed' | 'held'> = { sent: [], failed: [], held: [] }
  const relay = startOutboxRelay({
    pollMs: 200,
    leaseMs: 3_000,
    onSent: ({ messageId }) => void under.sent.push(messageId),
    onFailed: ({ messageId }, { code }) => void under.failed.push({ messageId, code }),
    onHeld: (error) => void under.held.push(error as { code?: string }),
    send: (message) => sendCommitted(messageQueue, message),
    findFailure,
    ...options,
  })
  async function end(): Promise<void> {
    await relay.stop()
    await messageQueue.close()
  }
  let ending: Promise<void> | undefined
  const stop = () => {
    ending ??= end()
    return ending
  }
  cleanUp(stop)
  return {
    ...under,
    async untilHeldBy(wanted, times) {
      const isHeld = () => under.held.filter(({ code }) => code === wanted).length >= times
      await waitFor(isHeld, { what: `the relay to be held up by ${wanted}` })
    },
    stop,
  }
}

function watchArrivals(database: TestDatabase, worker: WorkerProcess): Arrivals {
  return {
    async until(count) {
      const isStored = async () => {
        const [row] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM chat.messages')
        return row?.count === count
      }
      await waitFor(isStored, { what: `${count} messages to be stored`, timeoutMs: 60_000 })
    },
    async read() {
      const rows = await database.query<{ conversation_id: string; numbers: number[] }>(
        `SELECT conversation_id, array_agg(content::int ORDER BY sequence) AS numbers
         FROM chat.messages GROUP BY conversation_id ORDER BY conversation_id`,
      )
      return Object.fromEntries(rows.map(({ conversation_id, numbers }) => [conversation_id, numbers]))
    },
    countDelivered: () => worker.metric('mono_deliveries_total', { outcome: 'acked' }),
  }
}
