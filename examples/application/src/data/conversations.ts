import type { ClientBase } from 'pg'
import { NotFoundError } from '../errors.js'

export interface Conversation {
  conversationId: string
  title: string
  /** The sequence of the last message that is stored; 0 for none. */
  lastSequence: number
}

export function createConversations(client: ClientBase) {
  return {
    /** Those of which the user is a member. */
    async list(tenantId: number, userId: string): Promise<Conversation[]> {
      const { rows } = await client.query<Conversation>(
        `SELECT conversation_id AS "conversationId", c.title, coalesce(s.last_sequence, 0)::float AS "lastSequence"
         FROM example.members AS m
         JOIN example.conversations AS c USING (tenant_id, conversation_id)
         LEFT JOIN chat.conversations AS s USING (tenant_id, conversation_id)
         WHERE tenant_id = $1 AND m.user_id = $2 ORDER BY c.title`,
        [tenantId, userId],
      )
      return rows
    },
    /** @throws NotFoundError if the user is not a member of each, whether it exists or not */
    async assertMember(tenantId: number, userId: string, conversationIds: readonly string[]): Promise<void> {
      const { rows } = await client.query<{ isMember: boolean }>(
        `SELECT bool_and(EXISTS (
           SELECT FROM example.members
           WHERE tenant_id = $1 AND user_id = $2 AND conversation_id = asked.id)) AS "isMember"
         FROM unnest($3::text[]) AS asked(id)`,
        [tenantId, userId, conversationIds],
      )
      if (rows[0]?.isMember === false) throw new NotFoundError('There is no such conversation')
    },
  }
}
