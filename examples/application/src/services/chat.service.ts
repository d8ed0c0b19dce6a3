import type { ChatMessage, StoredChatMessage } from '@mono/contracts'
import type { Work } from '../database.js'
import { RefusedError } from '../errors.js'

/** A user of a tenant; every request is somebody's. */
export interface Member {
  tenantId: number
  userId: string
}

export interface Conversation {
  conversationId: string
  title: string
  /** The sequence of the last message that is stored; 0 for none. */
  lastSequence: number
}

/**
 * A message that was accepted and has no place in its conversation yet. `waiting`: for the broker; `sent`: it waits to be
 * stored; `refused`: it will not be sent as it is.
 */
export type PendingMessage = ChatMessage & { state: 'waiting' | 'sent' | 'refused' }

const mostStored = 200
const mostPending = 1_000

const columns = `message_id AS "messageId", conversation_id AS "conversationId", sender_id AS "senderId",
  tenant_id::float AS "tenantId", content, message_type AS "messageType", sent_at AS timestamp`

/**
 * Accepts a message. The same message again, with the same id, is accepted again, and is neither stored nor sent again:
 * `isNew` tells.
 *
 * @throws InvalidMessageError naming the fields; RefusedError if the sender is no member of the conversation, or the id
 * stands for another message
 */
export async function sendChatMessage(
  work: Work,
  message: ChatMessage,
): Promise<{ savedMessage: ChatMessage; isNew: boolean }> {
  await assertMember(work, { tenantId: message.tenantId, userId: message.senderId }, [message.conversationId])
  // Store in database first
  const { isNew, ...savedMessage } = await saveMessage(work, message)

  // Queue for real-time delivery
  if (isNew) await work.messageQueue.sendChatMessage(savedMessage)

  return { savedMessage, isNew }
}

/** Gives the message as it was accepted first, if it comes again. */
async function saveMessage({ db }: Work, m: ChatMessage): Promise<ChatMessage & { isNew: boolean }> {
  const { rows } = await db.query<ChatMessage & { isNew: boolean }>(
    `INSERT INTO example.messages AS m
       (tenant_id, message_id, conversation_id, sender_id, content, message_type, sent_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (tenant_id, message_id) DO UPDATE SET message_id = m.message_id
     WHERE (m.conversation_id, m.sender_id, m.content, m.message_type)
       = (excluded.conversation_id, excluded.sender_id, excluded.content, excluded.message_type)
     RETURNING ${columns}, xmax = 0 AS "isNew"`,
    [m.tenantId, m.messageId, m.conversationId, m.senderId, m.content, m.messageType, m.timestamp],
  )
  const [row] = rows
  if (!row) throw new RefusedError(409, 'Another message has this id')
  return row
}

/** @throws RefusedError if the user is not a member of each, whether it exists or not */
export async function assertMember(
  { db }: Work,
  { tenantId, userId }: Member,
  conversationIds: readonly string[],
): Promise<void> {
  const { rowCount } = await db.query(
    `SELECT FROM unnest($3::text[]) AS asked(id)
     WHERE NOT EXISTS (SELECT FROM example.members
                       WHERE tenant_id = $1 AND user_id = $2 AND conversation_id = asked.id)`,
    [tenantId, userId, conversationIds],
  )
  if (rowCount !== 0) throw new RefusedError(404, 'There is no such conversation')
}

/** The conversations of which the user is a member. */
export async function listConversations({ db }: Work, { tenantId, userId }: Member): Promise<Conversation[]> {
  const { rows } = await db.query<Conversation>(
    `SELECT conversation_id AS "conversationId", c.title, coalesce(s.last_sequence, 0)::float AS "lastSequence"
     FROM example.members AS m
     JOIN example.conversations AS c USING (tenant_id, conversation_id)
     LEFT JOIN chat.conversations AS s USING (tenant_id, conversation_id)
     WHERE tenant_id = $1 AND m.user_id = $2 ORDER BY c.title`,
    [tenantId, userId],
  )
  return rows
}

/** The messages of each conversation that come after its last one, at most 200 of each, ascending. */
export async function listMessagesAfter(
  { db }: Work,
  tenantId: number,
  last: readonly { conversationId: string; after: number }[],
): Promise<StoredChatMessage[]> {
  const { rows } = await db.query<StoredChatMessage>(
    `SELECT ${columns}, sequence::float AS sequence
     FROM unnest($2::text[], $3::bigint[]) AS asked(id, after)
     CROSS JOIN LATERAL (
       SELECT * FROM chat.messages
       WHERE tenant_id = $1 AND conversation_id = asked.id AND sequence > asked.after
       ORDER BY sequence LIMIT ${mostStored}
     ) AS stored
     ORDER BY conversation_id, sequence`,
    [tenantId, last.map(({ conversationId }) => conversationId), last.map(({ after }) => after)],
  )
  return rows
}

/** The messages among the newest 1,000 that are not stored, oldest first. */
export async function listPendingMessages(
  { db }: Work,
  tenantId: number,
  conversationId: string,
): Promise<PendingMessage[]> {
  const { rows } = await db.query<PendingMessage>(
    `SELECT ${columns}, CASE
       WHEN o.position IS NULL THEN 'sent' WHEN o.failed_at IS NULL THEN 'waiting' ELSE 'refused' END AS state
     FROM (
       SELECT * FROM example.messages WHERE tenant_id = $1 AND conversation_id = $2
       ORDER BY sent_at DESC LIMIT ${mostPending}
     ) AS m
     LEFT JOIN (SELECT tenant_id AS t, message_id AS id, position, failed_at FROM example.outbox
                WHERE tenant_id = $1 AND type = 'chat.message') AS o ON o.t = m.tenant_id AND o.id = m.message_id
     WHERE NOT EXISTS (SELECT FROM chat.messages AS s WHERE s.tenant_id = $1 AND s.message_id = m.message_id)
     ORDER BY sent_at`,
    [tenantId, conversationId],
  )
  return rows
}
