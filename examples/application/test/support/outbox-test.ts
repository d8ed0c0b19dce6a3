import { serializePayload } from '@mono/contracts'
import type { MessageQueue } from '@mono/message-queue'
import { createMessageQueue } from '@mono/message-queue'
import { migrate, type TestDatabase, type TestFixtures, type TestVhost, type WorkerProcess } from '@mono/test-support'
import type { Pool } from 'pg'
import { runMigrations } from '../../src/migrations.js'
import { enqueue, type OutboxMessage, startOutboxRelay } from '../../src/outbox/index.js'
import type { OutboxRelayOptions } from '../../src/outbox/relay.js'
import { findFailure, sendCommitted } from '../../src/services/send-committed.js'

export const conversations = ['room-0', 'room-1', 'room-2', 'room-3', 'room-4', 'room-5']

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

type Fixtures = Pick<TestFixtures, 'cleanUp'> & { database: TestDatabase; vhost: TestVhost }

export interface RelaySettings extends Partial<Omit<OutboxRelayOptions, 'pool' | 'databaseUrl'>> {
  brokerUrl?: string
  deadlineMs?: number
}

export interface RelayUnderTest {
  messageQueue: MessageQueue
  /** The ids of what it has sent, in order. */
  sent: string[]
  failed: { messageId: string; code: string }[]
  /** The errors that held it up. */
  held: unknown[]
  stop(): Promise<void>
}

/** A relay with a client and a pool of its own, as in another process. */
export function openRelay({ database, vhost, cleanUp }: Fixtures, settings: RelaySettings = {}): RelayUnderTest {
  const { brokerUrl = vhost.url, deadlineMs = 2_000, ...options } = settings
  const messageQueue = createMessageQueue({ url: brokerUrl, deadlineMs })
  const sent: string[] = []
  const failed: RelayUnderTest['failed'] = []
  const held: unknown[] = []
  const relay = startOutboxRelay({
    pool: database.createPool(),
    databaseUrl: database.url,
    pollMs: 200,
    leaseMs: 3_000,
    onSent: ({ messageId }) => void sent.push(messageId),
    onFailed: ({ messageId }, { code }) => void failed.push({ messageId, code }),
    onHeld: (error) => void held.push(error),
    send: (message) => sendCommitted(messageQueue, message),
    findFailure,
    ...options,
  })
  const stop = async () => {
    await relay.stop()
    await messageQueue.close()
  }
  let stopping: Promise<void> | undefined
  const stopOnce = () => {
    stopping ??= stop()
    return stopping
  }
  cleanUp(stopOnce)
  return { messageQueue, sent, failed, held, stop: stopOnce }
}

export async function prepareOutbox(database: TestDatabase): Promise<Pool> {
  await runMigrations(database.url)
  return database.createPool()
}

/** A chat-worker, whose table says what has arrived and in which order. */
export async function startJudge({
  database,
  vhost,
  workers,
}: Pick<TestFixtures, 'database' | 'vhost' | 'workers'>): Promise<WorkerProcess> {
  await migrate('chat-worker', database.url)
  const worker = workers.spawn('chat-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
  await worker.ready()
  return worker
}

/** By conversation, the contents in the order in which they were stored. */
export async function readStored(database: TestDatabase): Promise<Record<string, number[]>> {
  const rows = await database.query<{ conversation_id: string; numbers: number[] }>(
    `SELECT conversation_id, array_agg(content::int ORDER BY sequence) AS numbers
     FROM chat.messages GROUP BY conversation_id ORDER BY conversation_id`,
  )
  return Object.fromEntries(rows.map(({ conversation_id, numbers }) => [conversation_id, numbers]))
}

export async function countStored(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM chat.messages')
  return row?.count ?? 0
}

export async function countWaiting(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM example.outbox')
  return row?.count ?? 0
}

/** Each conversation with the numbers 0, 1, 2 … */
export function inOrder(count: number): Record<string, number[]> {
  return Object.fromEntries(conversations.map((name) => [name, Array.from({ length: count }, (_, index) => index)]))
}
