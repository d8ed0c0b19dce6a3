import { createMessageQueue } from '@mono/message-queue'
import { type TestDatabase, type TestMessage, type WorkerUnderTest, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { chatDescription, conversations, createPayload } from './description.mjs'

export const numberedMessage = (index: number) => createPayload(index, `message-${index}`)

export const chatWorker: WorkerUnderTest = {
  ...chatDescription,
  table: 'chat.messages',
  keepsOrder: true,
  createBody: numberedMessage,
  foreign: {
    messages: [
      foreignMessage(0, '2026-01-02T03:04:05+0000'),
      foreignMessage(1, '2026-01-02 04:04:05.000999+01:00'),
      foreignMessage(2, '2026-01-02T03:04:05.0009999Z'),
    ],
    readEffects: ({ database }) => database.query('SELECT message_id, sent_at FROM chat.messages'),
  },
  openSender({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
    cleanUp(() => messageQueue.close())
    return (index) => chatDescription.send(messageQueue, numberedMessage(index), `message-${index}`)
  },
  async watchEffects({ vhost, database }) {
    const { messages: broadcasts } = await vhost.listen('realtime', 'chat.#')
    return {
      async countHandled() {
        return broadcasts.length
      },
      async expectOnce(count) {
        await expectStored(database, count)
        await expectBroadcast(database, broadcasts, count)
      },
    }
  },
}

function foreignMessage(index: number, timestamp: string) {
  const { messageId, ...fields } = numberedMessage(index)
  return {
    body: { messageId, ...fields, timestamp, editedAt: null },
    effect: { message_id: messageId, sent_at: new Date('2026-01-02T03:04:05Z') },
  }
}

/** Each once, and in each conversation the sequences 1, 2, 3 … without a gap. */
async function expectStored(database: TestDatabase, count: number): Promise<void> {
  const stored = await database.query(
    "SELECT message_id, conversation_id, content FROM chat.messages ORDER BY substr(message_id, length('message-') + 1)::int",
  )
  expect(stored).toEqual(
    Array.from({ length: count }, (_, index) => {
      const { messageId, conversationId, content } = numberedMessage(index)
      return { message_id: messageId, conversation_id: conversationId, content }
    }),
  )
  const rooms = await database.query<{ sequences: number[]; last_sequence: number }>(
    `SELECT array_agg(sequence::int ORDER BY sequence) AS sequences, last_sequence::int
     FROM chat.messages JOIN chat.conversations USING (tenant_id, conversation_id)
     GROUP BY tenant_id, conversation_id, last_sequence`,
  )
  expect(rooms).toHaveLength(Math.min(count, conversations))
  for (const { sequences, last_sequence } of rooms) {
    expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, index) => index + 1))
    expect(last_sequence).toBe(sequences.length)
  }
}

/** Each stored message was heard of, and always with the sequence it is stored with. */
async function expectBroadcast(
  database: TestDatabase,
  broadcasts: readonly TestMessage[],
  count: number,
): Promise<void> {
  const rows = await database.query<{ message_id: string; sequence: number }>(
    'SELECT message_id, sequence::int FROM chat.messages',
  )
  const sequenceById = Object.fromEntries(rows.map(({ message_id, sequence }) => [message_id, sequence]))
  const heard = () => new Set(broadcasts.map(({ properties }) => properties.messageId))
  await waitFor(() => heard().size >= count, { what: `${count} messages to be broadcast` })
  for (const broadcast of broadcasts) {
    const { messageId, conversationId, sequence } = broadcast.json() as Record<string, unknown>
    expect([messageId, sequence]).toEqual([messageId, sequenceById[String(messageId)]])
    expect(broadcast.routingKey).toBe(`chat.42.${String(conversationId).replace('.', '%2E')}`)
  }
}
