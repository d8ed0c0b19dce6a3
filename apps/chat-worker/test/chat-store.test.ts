import type { ChatMessage } from '@mono/contracts'
import { DeferError } from '@mono/message-queue'
import { migrate, type TestDatabase, test, waitFor } from '@mono/test-support'
import { afterEach, describe, expect, vi } from 'vitest'
import { type ChatStore, createChatStore, type Outcome } from '../src/chat-store.js'
import { chatMessage } from './received-chat-message.js'
import { storeOne } from './store-one.js'

test.beforeEach(async ({ database }) => {
  await migrate('chat-worker', database.url)
})

afterEach(() => {
  vi.unstubAllEnvs()
})

/** A process with one connection of its own. */
const createProcess = (database: TestDatabase, options = {}) =>
  createChatStore(database.createPool({ max: 1, ...options }))

const findSequences = (database: TestDatabase) =>
  database.query<{ conversation_id: string; sequences: number[]; last_sequence: number }>(
    `SELECT conversation_id, array_agg(sequence::int ORDER BY sequence) AS sequences, last_sequence::int
     FROM chat.messages JOIN chat.conversations USING (tenant_id, conversation_id)
     GROUP BY conversation_id, last_sequence ORDER BY conversation_id`,
  )

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('storeBatch', () => {
  test('every column is stored as it came', async ({ database }) => {
    const message = chatMessage({
      tenantId: Number.MAX_SAFE_INTEGER,
      messageId: 'quote"\'\\',
      content: 'ü€😀\n\t',
      messageType: 'system',
      timestamp: new Date('2025-04-01T09:30:00.251Z'),
    })
    const { stored, isNew } = await storeOne(createProcess(database), message)
    expect(stored).toEqual({ ...message, sequence: 1 })
    expect(isNew).toBe(true)
    expect(await database.query('SELECT *, extract(epoch FROM sent_at) * 1000 AS ms FROM chat.messages')).toEqual([
      {
        tenant_id: '9007199254740991',
        message_id: message.messageId,
        conversation_id: message.conversationId,
        sequence: '1',
        sender_id: message.senderId,
        content: message.content,
        message_type: 'system',
        sent_at: message.timestamp,
        stored_at: expect.any(Date),
        ms: expect.stringMatching(new RegExp(`^${message.timestamp.getTime()}\\.?0*$`)),
      },
    ])
  })

  test('times are exact to the millisecond whatever the time zones of process and session', async ({ database }) => {
    vi.stubEnv('TZ', 'America/New_York')
    const store = createProcess(database, { options: '-c TimeZone=Asia/Kathmandu' })
    // In 1883 New York was 4:56:02 behind UTC.
    for (const instant of ['1883-11-18T16:00:00.001Z', '2025-07-01T00:00:00.999Z', '9999-12-31T23:59:59.999Z']) {
      const timestamp = new Date(instant)
      const { stored } = await storeOne(store, chatMessage({ messageId: instant, timestamp }))
      expect(stored.timestamp).toEqual(timestamp)
    }
    const stored = await database.query(
      `SELECT to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') = message_id AS exact FROM chat.messages`,
    )
    expect(stored).toEqual(Array(3).fill({ exact: true }))
  })

  test('a redelivery gives what is stored, and takes no sequence', async ({ database }) => {
    const store = createProcess(database, { options: '-c TimeZone=Asia/Kathmandu' })
    await storeOne(store, chatMessage({ messageId: 'a' }))
    const first = await storeOne(store, chatMessage({ messageId: 'b' }))
    const again = await storeOne(store, chatMessage({ messageId: 'b' }))
    expect(again).toEqual({ stored: first.stored, isNew: false })
    expect((await storeOne(store, chatMessage({ messageId: 'c' }))).stored.sequence).toBe(3)
  })

  test('the microseconds of a row that somebody else wrote make no other message of it', async ({ database }) => {
    const store = createProcess(database)
    for (const timestamp of [new Date('2025-04-01T09:30:00.250Z'), new Date('1950-04-01T09:30:00.250Z')]) {
      const message = chatMessage({ messageId: timestamp.toISOString(), timestamp })
      await storeOne(store, message)
      await database.query("UPDATE chat.messages SET sent_at = sent_at + interval '999 microseconds'")
      expect(await storeOne(store, message)).toMatchObject({ isNew: false, stored: { timestamp } })
    }
  })

  test('the same id with any other field is a conflict, and changes nothing', async ({ database }) => {
    const store = createProcess(database)
    await storeOne(store, chatMessage({ conversationId: 'a' }))
    const others: [string, Partial<ChatMessage>][] = [
      ['content', { content: 'other' }],
      ['senderId', { senderId: 'other' }],
      ['messageType', { messageType: 'file' }],
      ['timestamp', { timestamp: new Date(0) }],
      ['conversationId', { conversationId: 'b' }],
    ]
    for (const [field, other] of others) {
      await expect(storeOne(store, chatMessage({ conversationId: 'a', ...other }))).rejects.toMatchObject({
        name: 'PermanentError',
        code: 'ID_CONFLICT',
        message: `Another message has this id: it is number 1 of its conversation, with other ${field}`,
      })
    }
    expect(await findSequences(database)).toEqual([{ conversation_id: 'a', sequences: [1], last_sequence: 1 }])
    expect(await database.query('SELECT conversation_id FROM chat.conversations')).toEqual([{ conversation_id: 'a' }])
  })

  test('the same id in another tenant is another message', async ({ database }) => {
    const store = createProcess(database)
    await storeOne(store, chatMessage({ tenantId: 1 }))
    const other = chatMessage({ tenantId: 2, content: 'other' })
    for (const isNew of [true, false]) {
      expect(await storeOne(store, other)).toMatchObject({
        isNew,
        stored: { tenantId: 2, content: 'other', sequence: 1 },
      })
    }
  })

  test('what eight processes store at once, duplicates included, is stored once and without gaps', async ({
    database,
  }) => {
    const processes = Array.from({ length: 8 }, () => createProcess(database))
    const messages = Array.from({ length: 150 }, (_, index) =>
      chatMessage({ messageId: `message-${index}`, conversationId: `conversation-${index % 3}` }),
    )
    // Each process gets all of them, in an order of its own.
    const results = await Promise.all(
      processes.map(async (process, shift) => {
        const stored: Record<string, number> = {}
        let storedHere = 0
        for (let index = 0; index < messages.length; index += 1) {
          const message = messages[(index * 7 + shift * 19) % messages.length]
          if (!message) continue
          const result = await storeUnlocked(process, message)
          stored[message.messageId] = result.stored.sequence
          if (result.isNew) storedHere += 1
        }
        return { stored, storedHere }
      }),
    )
    expect(await findSequences(database)).toEqual(
      [0, 1, 2].map((index) => ({
        conversation_id: `conversation-${index}`,
        sequences: upTo(50),
        last_sequence: 50,
      })),
    )
    expect(results.reduce((sum, { storedHere }) => sum + storedHere, 0)).toBe(150)
    for (const { stored } of results) expect(stored).toEqual(results[0]?.stored)
  })

  test('two conversations that race with the same id: one stores it, the other is refused', async ({ database }) => {
    const processes = Array.from({ length: 8 }, () => createProcess(database))
    for (const round of upTo(10)) {
      const outcomes = await Promise.allSettled(
        processes.map((process, index) =>
          storeOne(process, chatMessage({ messageId: `round-${round}`, conversationId: `conversation-${index}` })),
        ),
      )
      const stored = outcomes.filter(({ status }) => status === 'fulfilled')
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(stored).toHaveLength(1)
      expect(refused.map(({ code }) => code)).toEqual(Array(7).fill('ID_CONFLICT'))
    }
    const conversations = await findSequences(database)
    expect(conversations.reduce((sum, { last_sequence }) => sum + last_sequence, 0)).toBe(10)
    for (const { sequences, last_sequence } of conversations) expect(sequences).toEqual(upTo(last_sequence))
  })

  test('a conversation that somebody else has locked holds up only itself, at once', async ({ database }) => {
    const store = createProcess(database)
    await storeOne(store, chatMessage({ messageId: 'a1', conversationId: 'a' }))
    const other = await database.createPool({ max: 1 }).connect()
    await other.query('BEGIN')
    await other.query('UPDATE chat.conversations SET last_sequence = 2')
    const batch = ['b1', 'a2', 'b2', 'a3'].map((messageId) =>
      chatMessage({ messageId, conversationId: messageId.slice(0, 1) }),
    )
    expect((await store.storeBatch(batch)).map(toText)).toEqual(['b1 is 1', 'DeferError', 'b2 is 2', 'DeferError'])
    await other.query(`INSERT INTO chat.messages SELECT tenant_id, 'other', conversation_id, 2, sender_id, content,
      message_type, sent_at FROM chat.messages WHERE conversation_id = 'a'`)
    await other.query('COMMIT')
    other.release()
    expect((await store.storeBatch(batch)).map(toText)).toEqual(['b1 is 1', 'a2 is 3', 'b2 is 2', 'a3 is 4'])
  })

  test.for([
    ['a conversation', `INSERT INTO chat.conversations VALUES (42, 'a', 1)`],
    [
      'a message',
      `INSERT INTO chat.messages VALUES (42, 'a1', 'elsewhere', 1, 'sender', 'content', 'text', now(), now())`,
    ],
  ] as const)('%s that somebody else is inserting holds up its conversation only', async ([, insert], { database }) => {
    const store = createProcess(database)
    const other = await database.createPool({ max: 1 }).connect()
    await other.query('BEGIN')
    await other.query(insert)
    const batch = ['b1', 'a1', 'c1', 'a2'].map((messageId) =>
      chatMessage({ tenantId: 42, messageId, conversationId: messageId.slice(0, 1) }),
    )
    expect((await store.storeBatch(batch)).map(toText)).toEqual(['b1 is 1', 'DeferError', 'c1 is 1', 'DeferError'])
    await other.query('ROLLBACK')
    other.release()
    expect((await store.storeBatch(batch)).map(toText)).toEqual(['b1 is 1', 'a1 is 1', 'c1 is 1', 'a2 is 2'])
  })

  test('of a batch, those that cannot be stored fail by themselves, and those behind them are stored in order', async ({
    database,
  }) => {
    const store = createProcess(database)
    await storeOne(store, chatMessage({ messageId: 'taken', conversationId: 'elsewhere' }))
    const batch = Array.from({ length: 100 }, (_, index) => {
      const conversationId = `conversation-${index % 7}`
      if (index === 13) return chatMessage({ conversationId, messageId: 'taken' })
      if (index === 14) return chatMessage({ conversationId, messageId: 'message-14', content: 'zero \u0000 byte' })
      if (index === 99) return chatMessage({ conversationId, messageId: 'message-98', content: 'not that of 98' })
      return chatMessage({ conversationId, messageId: `message-${index}`, content: `number ${index}` })
    })
    const outcomes = await store.storeBatch(batch)
    const failed = outcomes.flatMap((outcome, index) => ('failure' in outcome ? [[index, outcome.failure]] : []))
    expect(failed).toEqual([
      [13, expect.objectContaining({ name: 'PermanentError', code: 'ID_CONFLICT' })],
      [14, expect.objectContaining({ name: 'PermanentError', code: 'INVALID_MESSAGE' })],
      [99, expect.objectContaining({ name: 'PermanentError', code: 'ID_CONFLICT' })],
    ])
    const rows = await database.query<{ messages: string[] }>(
      `SELECT array_agg(message_id ORDER BY sequence) AS messages FROM chat.messages
       WHERE conversation_id LIKE 'conversation-%' GROUP BY conversation_id ORDER BY conversation_id`,
    )
    const expected = [0, 1, 2, 3, 4, 5, 6].map((conversation) =>
      batch
        .filter((_, index) => index % 7 === conversation && ![13, 14, 99].includes(index))
        .map(({ messageId }) => messageId),
    )
    expect(rows.map(({ messages }) => messages)).toEqual(expected)
  })

  test('a message that is in the batch twice is stored once', async ({ database }) => {
    const store = createProcess(database)
    const batch = ['a1', 'a2', 'a1'].map((messageId) => chatMessage({ messageId }))
    const outcomes = await store.storeBatch(batch)
    expect(outcomes.map(toText)).toEqual(['a1 is 1', 'a2 is 2', 'a1 is 1'])
    expect(outcomes.map((outcome) => 'isNew' in outcome && outcome.isNew)).toEqual([true, true, false])
  })

  test('the server ends the transaction of a worker that has vanished', async ({ database }) => {
    const client = await database.createPool({ max: 1 }).connect()
    client.on('error', () => {})
    let hang = () => {}
    const hung = new Promise<void>((resolve) => {
      hang = resolve
    })
    const vanishing = createChatStore({
      connect: async () => ({
        release() {},
        async query(sql, values) {
          if (sql !== 'COMMIT') return await client.query(sql, values)
          hang()
          return await new Promise(() => {})
        },
      }),
    })
    void vanishing.storeBatch([chatMessage({ messageId: 'a' })])
    await hung
    const store = createProcess(database)
    await waitFor(async () => await storeOne(store, chatMessage({ messageId: 'b' })), {
      what: 'the locks of the vanished worker to be released',
      timeoutMs: 8_000,
    })
    client.release(true)
  })

  test('a message that PostgreSQL refuses is dead-lettered, and takes no sequence', async ({ database }) => {
    const store = createProcess(database)
    await expect(storeOne(store, chatMessage({ content: 'zero \u0000 byte' }))).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'INVALID_MESSAGE',
    })
    expect((await storeOne(store, chatMessage())).stored.sequence).toBe(1)
  })

  test('a connection that breaks in the middle leaves nothing behind, and the next message is stored', async ({
    database,
  }) => {
    const store = createProcess(database, { application_name: 'store' })
    const blocking = await database.createPool({ max: 1 }).connect()
    await blocking.query('BEGIN')
    await blocking.query('LOCK TABLE chat.messages')
    const storing = store.storeBatch([chatMessage({ messageId: 'a' })])
    const outcome = expect(storing).rejects.toMatchObject({ name: 'DeferError', code: 'DATABASE_UNAVAILABLE' })
    await waitFor(
      async () =>
        (
          await database.query(
            "SELECT FROM pg_stat_activity WHERE application_name = 'store' AND wait_event_type = 'Lock'",
          )
        ).length > 0,
      { what: 'the store to wait for the table', intervalMs: 10 },
    )
    await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'store'")
    await outcome
    await blocking.query('COMMIT')
    blocking.release()
    expect((await storeOne(store, chatMessage({ messageId: 'a' }))).stored.sequence).toBe(1)
  })
})

function toText(outcome: Outcome): string {
  if ('failure' in outcome) return outcome.failure.name
  return `${outcome.stored.messageId} is ${outcome.stored.sequence}`
}

/** A conversation that another process has locked is tried again. */
async function storeUnlocked(store: ChatStore, message: ChatMessage) {
  for (;;) {
    const [outcome] = await store.storeBatch([message])
    if (outcome !== undefined && 'stored' in outcome) return outcome
    expect(outcome?.failure).toBeInstanceOf(DeferError)
  }
}
