import type { OpenConversation } from '@mono/realtime/browser'
import type { TestDatabase } from '@mono/test-support'

/** Messages of a conversation in one answer at most: the page asks again for what comes after them. */
const limit = 200

const statement = `
  SELECT "conversationId", jsonb_agg(
    jsonb_build_object(
      'messageId', message_id, 'senderId', sender_id, 'content', content, 'messageType', message_type,
      'timestamp', sent_at, 'sequence', sequence
    ) ORDER BY sequence
  ) AS messages
  FROM jsonb_to_recordset($2) AS open("conversationId" text, "after" bigint)
  CROSS JOIN LATERAL (
    SELECT * FROM chat.messages
    WHERE tenant_id = $1 AND conversation_id = "conversationId" AND sequence > "after"
    ORDER BY sequence LIMIT ${limit}
  ) AS later
  GROUP BY "conversationId"`

/**
 * What an application's server answers to `loadAfter`: of all open conversations at once what comes after the last
 * message that the page has. Tenant and conversations are those of the user who has logged in, whatever the page says.
 */
export async function loadAfter(database: TestDatabase, tenantId: number, open: OpenConversation[]) {
  return await database.query(statement, [tenantId, JSON.stringify(open)])
}
