import type { ChatMessage, StoredChatMessage } from '@mono/contracts'
import type { ClientBase } from 'pg'
import { ConflictError } from '../errors.js'

/**
 * A message that was accepted and has no place in its conversation yet. `waiting`: for the broker; `sent`: it waits to be
 * stored; `refused`: it will not be sent as it is.
 */
export type PendingMessage = ChatMessage & { state: 'waiting' | 'sent' | 'refused' }

export interface OpenConversation {
  conversationId: string
  after: number
}

const mostStored = 200
const mostPending = 1_000

const columns = `message_id AS "messageId", conversation_id AS "conversationId", sender_id AS "senderId",
  tenant_id::float AS "tenantId", content, message_type AS "messageType", sent_at AS timestamp`

export function createMessages(client: ClientBase) {
  return {
    /**
     * The message as it was accepted first, if it comes again.
     *
     * @throws ConflictError if its id stands for another message
     */
    async create({ data }: { data: ChatMessage }): Promise<ChatMessage> {
      const { rows } = await client.query<ChatMessage>(
        `INSERT INTO example.messages AS m
           (tenant_id, message_id, conversation_id, sender_id, content, message_type, sent_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, message_id) DO UPDATE SET message_id = m.message_id
         WHERE (m.conversation_id, m.sender_id, m.content, m.message_type)
           = (excluded.conversation_id, excluded.sender_id, excluded.content, excluded.message_type)
         RETURNING ${columns}`,
        [
          data.tenantId,
          data.messageId,
          data.conversationId,
          data.senderId,
          data.content,
          data.messageType,
          data.timestamp,
        ],
      )
      const [row] = rows
      if (!row) throw new ConflictError('Another message has this id')
      return row
    },
    /** The messages of each conversation that come after its last one, at most 200, ascending. */
    async listAfter(tenantId: number, open: readonly OpenConversation[]): Promise<StoredChatMessage[]> {
      const { rows } = await client.query<StoredChatMessage>(
        `SELECT ${columns}, sequence::float AS sequence
         FROM unnest($2::text[], $3::bigint[]) AS asked(id, after)
         CROSS JOIN LATERAL (
           SELECT * FROM chat.messages
           WHERE tenant_id = $1 AND conversation_id = asked.id AND sequence > asked.after
           ORDER BY sequence LIMIT ${mostStored}
         ) AS stored
         ORDER BY conversation_id, sequence`,
        [tenantId, open.map(({ conversationId }) => conversationId), open.map(({ after }) => after)],
      )
      return rows
    },
    /** Those of the newest 1,000 that are not stored, oldest first. */
    async listPending(tenantId: number, conversationId: string): Promise<PendingMessage[]> {
      const { rows } = await client.query<PendingMessage>(
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
    },
  }
}
