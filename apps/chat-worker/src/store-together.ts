import type { ChatMessage, StoredChatMessage } from '@mono/contracts'
import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import type { Outcome } from './chat-store.js'
import { conversationKey } from './conversation-key.js'
import type { DatabaseClient } from './database.js'
import { findDifferences } from './find-differences.js'
import { type MessageRow, messageColumns, toStoredMessage } from './message-row.js'

/**
 * The limits end with the transaction, so that they also hold behind a pooler. The server itself ends the transaction of a
 * worker that has vanished, and nobody waits longer than a second for somebody else's lock.
 */
const begin = `
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL idle_in_transaction_session_timeout = '5s';
  SET LOCAL lock_timeout = '1s';
  SET LOCAL statement_timeout = '10s'`

/**
 * Stores messages in one transaction. Those of a conversation that somebody else has locked are left out, and fail.
 *
 * The statements must be separate, and the isolation READ COMMITTED: only a statement that begins once the locks are held
 * sees what their previous holders have committed. Whoever holds the lock of another conversation may insert the same id
 * at the same time; then one waits for the other to commit.
 *
 * @throws the error of PostgreSQL: nothing is stored then
 */
export async function storeTogether(
  client: DatabaseClient,
  messages: readonly ChatMessage[],
): Promise<Map<ChatMessage, Outcome>> {
  await client.query(begin)
  const lastSequences = await lockConversations(client, messages)
  const known = await findKnown(client, messages)
  const isNew = (message: ChatMessage) => !known.has(idKey(message))
  await addConversations(client, messages.filter(isNew), lastSequences)
  const outcomes = new Map<ChatMessage, Outcome>()
  const added: StoredChatMessage[] = []
  for (const message of messages) {
    const key = conversationKey(message)
    const last = lastSequences.get(key)
    const present = known.get(idKey(message))
    if (present !== undefined) {
      outcomes.set(message, compare(present, message))
    } else if (last === undefined) {
      outcomes.set(message, { failure: new DeferError('The conversation is locked by another transaction') })
    } else {
      const stored = { ...message, sequence: Number(last) + 1 }
      lastSequences.set(key, last + 1n)
      known.set(idKey(message), stored)
      added.push(stored)
      outcomes.set(message, { stored, isNew: true })
    }
  }
  if (added.length > 0) await insert(client, added, lastSequences)
  await client.query('COMMIT')
  return outcomes
}

/**
 * The last sequence of each conversation that is there and that nobody else has locked. Nobody else can change it until the
 * transaction ends.
 */
async function lockConversations(client: DatabaseClient, messages: readonly ChatMessage[]) {
  const { rows } = await client.query(
    `SELECT tenant_id, conversation_id, last_sequence FROM chat.conversations
     JOIN unnest($1::bigint[], $2::text[]) AS wanted (tenant_id, conversation_id) USING (tenant_id, conversation_id)
     ORDER BY tenant_id, conversation_id FOR UPDATE OF conversations SKIP LOCKED`,
    toConversations(messages),
  )
  return new Map((rows as ConversationRow[]).map((row) => [keyOf(row), BigInt(row.last_sequence)]))
}

/** Makes, and thereby locks, those that are not there. One that is there by now is somebody else's. */
async function addConversations(
  client: DatabaseClient,
  messages: readonly ChatMessage[],
  lastSequences: Map<string, bigint>,
): Promise<void> {
  const missing = messages.filter((message) => !lastSequences.has(conversationKey(message)))
  if (missing.length === 0) return
  // The same order for all: an insert waits for another one's row of the same key.
  const { rows } = await client.query(
    `INSERT INTO chat.conversations (tenant_id, conversation_id)
     SELECT * FROM unnest($1::bigint[], $2::text[]) AS wanted (tenant_id, conversation_id)
     ORDER BY tenant_id, conversation_id
     ON CONFLICT DO NOTHING RETURNING tenant_id, conversation_id, last_sequence`,
    toConversations(missing),
  )
  for (const row of rows as ConversationRow[]) lastSequences.set(keyOf(row), BigInt(row.last_sequence))
}

/** Two columns: each conversation once. */
function toConversations(messages: readonly ChatMessage[]): unknown[] {
  const conversations = [...new Map(messages.map((message) => [conversationKey(message), message])).values()]
  return [conversations.map(({ tenantId }) => tenantId), conversations.map(({ conversationId }) => conversationId)]
}

function keyOf({ tenant_id, conversation_id }: ConversationRow): string {
  return conversationKey({ tenantId: Number(tenant_id), conversationId: conversation_id })
}

interface ConversationRow {
  tenant_id: string
  conversation_id: string
  last_sequence: string
}

/** Those whose ids are there already. */
async function findKnown(
  client: DatabaseClient,
  messages: readonly ChatMessage[],
): Promise<Map<string, StoredChatMessage>> {
  const { rows } = await client.query(
    `SELECT ${messageColumns} FROM chat.messages
     JOIN unnest($1::bigint[], $2::text[]) AS wanted (tenant_id, message_id) USING (tenant_id, message_id)`,
    [messages.map(({ tenantId }) => tenantId), messages.map(({ messageId }) => messageId)],
  )
  const known = (rows as MessageRow[]).map(toStoredMessage)
  return new Map(known.map((stored) => [idKey(stored), stored]))
}

function compare(present: StoredChatMessage, message: ChatMessage): Outcome {
  const differences = findDifferences(present, message)
  if (differences.length === 0) return { stored: present, isNew: false }
  const failure = new PermanentError(
    `Another message has this id: it is number ${present.sequence} of its conversation, with other ${differences.join(', ')}`,
    { code: 'ID_CONFLICT' },
  )
  return { failure }
}

async function insert(
  client: DatabaseClient,
  added: readonly StoredChatMessage[],
  lastSequences: ReadonlyMap<string, bigint>,
): Promise<void> {
  const advanced = [...new Map(added.map((stored) => [conversationKey(stored), stored])).values()]
  const { rows } = await client.query(
    `WITH inserted AS (
       INSERT INTO chat.messages
         (tenant_id, message_id, conversation_id, sequence, sender_id, content, message_type, sent_at)
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
         $8::timestamptz[])
       ON CONFLICT (tenant_id, message_id) DO NOTHING
       RETURNING 1
     ), advanced AS (
       UPDATE chat.conversations SET last_sequence = last.sequence
       FROM unnest($9::bigint[], $10::text[], $11::bigint[]) AS last (tenant_id, conversation_id, sequence)
       WHERE conversations.tenant_id = last.tenant_id AND conversations.conversation_id = last.conversation_id
     )
     SELECT count(*)::int AS inserted FROM inserted`,
    [
      added.map(({ tenantId }) => tenantId),
      added.map(({ messageId }) => messageId),
      added.map(({ conversationId }) => conversationId),
      added.map(({ sequence }) => sequence),
      added.map(({ senderId }) => senderId),
      added.map(({ content }) => content),
      added.map(({ messageType }) => messageType),
      // Text with its offset: pg writes a Date in the process's time zone, which for old dates is off by seconds.
      added.map(({ timestamp }) => timestamp.toISOString()),
      advanced.map(({ tenantId }) => tenantId),
      advanced.map(({ conversationId }) => conversationId),
      advanced.map((stored) => lastSequences.get(conversationKey(stored))),
    ],
  )
  const [{ inserted }] = rows as [{ inserted: number }]
  if (inserted === added.length) return
  throw new RetryableError('Another transaction has stored a message with the same id meanwhile', {
    code: 'DATABASE_UNAVAILABLE',
  })
}

function idKey({ tenantId, messageId }: ChatMessage): string {
  return `${tenantId} ${messageId}`
}
