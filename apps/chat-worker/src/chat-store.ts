import type { ChatMessage, StoredChatMessage } from '@mono/contracts'
import { PermanentError, RetryableError } from '@mono/message-queue'
import { isDataFault, toDatabaseError } from '@mono/worker-runtime'
import type { Database, DatabaseClient } from './database.js'
import { findDifferences } from './find-differences.js'
import { type MessageRow, messageColumns, toStoredMessage } from './message-row.js'

export interface ChatStore {
  /**
   * Stores a message under the next sequence of its conversation, once: for a message that is there already it resolves
   * with what is there, and `isNew` is false. Sequences are in the order of commits and without gaps, however many
   * processes store at the same time.
   *
   * @throws PermanentError ID_CONFLICT if another message of the tenant has this id, in whatever conversation
   * @throws PermanentError INVALID_MESSAGE if PostgreSQL refuses the message for its data
   * @throws DeferError or RetryableError if the database could not be asked; the message may have been stored
   */
  storeMessage(message: ChatMessage): Promise<{ stored: StoredChatMessage; isNew: boolean }>
}

export function createChatStore(database: Database): ChatStore {
  return {
    async storeMessage(message) {
      try {
        return await withClient(database, (client) => store(client, message))
      } catch (error) {
        throw toStoreError(error)
      }
    },
  }
}

async function store(client: DatabaseClient, message: ChatMessage) {
  const inserted = await insertMessage(client, message)
  if (inserted) return { stored: inserted, isNew: true }
  const stored = await findMessage(client, message)
  if (!stored) {
    throw new RetryableError('Another message had this id a moment ago and is gone', { code: 'DATABASE_UNAVAILABLE' })
  }
  const differences = findDifferences(stored, message)
  if (differences.length === 0) return { stored, isNew: false }
  throw new PermanentError(
    `Another message has this id: it is number ${stored.sequence} of its conversation, with other ${differences.join(', ')}`,
    { code: 'ID_CONFLICT' },
  )
}

/**
 * Resolves with undefined, and leaves everything as it was, if the id is taken.
 *
 * The statements must be separate, and the isolation READ COMMITTED: only a statement that begins once the lock is held
 * sees what its previous holders have committed. One statement that does it all leaves gaps. Whoever holds the lock of
 * another conversation may insert the same id at the same time; then one waits for the other to commit.
 */
async function insertMessage(client: DatabaseClient, message: ChatMessage): Promise<StoredChatMessage | undefined> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  const sequence = (await lockConversation(client, message)) + 1n
  const { rows } = await client.query(
    `INSERT INTO chat.messages
       (tenant_id, message_id, conversation_id, sequence, sender_id, content, message_type, sent_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (tenant_id, message_id) DO NOTHING
     RETURNING ${messageColumns}`,
    [
      message.tenantId,
      message.messageId,
      message.conversationId,
      sequence,
      message.senderId,
      message.content,
      message.messageType,
      // Text with its offset: pg writes a Date in the process's time zone, which for old dates is off by seconds.
      message.timestamp.toISOString(),
    ],
  )
  const [row]: MessageRow[] = rows
  if (!row) {
    await client.query('ROLLBACK')
    return undefined
  }
  await client.query('UPDATE chat.conversations SET last_sequence = $3 WHERE tenant_id = $1 AND conversation_id = $2', [
    message.tenantId,
    message.conversationId,
    sequence,
  ])
  await client.query('COMMIT')
  return toStoredMessage(row)
}

/** Resolves with the conversation's last sequence, which nobody else can change until the transaction ends. */
async function lockConversation(client: DatabaseClient, { tenantId, conversationId }: ChatMessage): Promise<bigint> {
  const key = [tenantId, conversationId]
  const lock = async () => {
    const { rows } = await client.query(
      'SELECT last_sequence FROM chat.conversations WHERE tenant_id = $1 AND conversation_id = $2 FOR UPDATE',
      key,
    )
    const [row]: { last_sequence: string }[] = rows
    return row && BigInt(row.last_sequence)
  }
  const found = await lock()
  if (found !== undefined) return found
  await client.query(
    'INSERT INTO chat.conversations (tenant_id, conversation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    key,
  )
  const made = await lock()
  if (made !== undefined) return made
  throw new RetryableError('The conversation was deleted while a message was being stored')
}

async function findMessage(
  client: DatabaseClient,
  { tenantId, messageId }: ChatMessage,
): Promise<StoredChatMessage | undefined> {
  const { rows } = await client.query(
    `SELECT ${messageColumns} FROM chat.messages WHERE tenant_id = $1 AND message_id = $2`,
    [tenantId, messageId],
  )
  const [row]: MessageRow[] = rows
  return row && toStoredMessage(row)
}

/** After an error nobody knows what state the connection is in: it is ended, which rolls back. */
async function withClient<T>(database: Database, use: (client: DatabaseClient) => Promise<T>): Promise<T> {
  const client = await database.connect()
  try {
    const result = await use(client)
    client.release()
    return result
  } catch (error) {
    client.release(true)
    throw error
  }
}

function toStoreError(error: unknown): Error {
  if (!isDataFault(error)) return toDatabaseError(error)
  const reason = error instanceof Error ? error.message : String(error)
  return new PermanentError(`PostgreSQL refused the message: ${reason}`, { code: 'INVALID_MESSAGE', cause: error })
}
