import type { ClientBase } from 'pg'
import type { OutboxMessage } from './outbox-message.js'

/**
 * Puts messages into the outbox: they are sent if the transaction commits, and never otherwise. Each one's key stays locked
 * until then, so that positions follow commits. Keys are locked in one order, lest two transactions wait for each other;
 * whoever calls this several times in one transaction may still end in a deadlock, of which PostgreSQL ends one side.
 *
 * @param client in a transaction
 */
export async function enqueue(client: ClientBase, messages: readonly OutboxMessage[]): Promise<void> {
  const lockedInOneOrder = [...messages].sort((a, b) => compare(lockOf(a), lockOf(b)))
  for (const { tenantId, messageId, type, orderKey, body } of lockedInOneOrder) {
    await client.query('SELECT example.enqueue($1, $2, $3, $4, $5)', [tenantId, messageId, type, orderKey, body])
  }
}

const lockOf = ({ type, tenantId, orderKey }: OutboxMessage) => `${type} ${tenantId} ${orderKey}`

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))
