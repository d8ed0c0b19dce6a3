// @ts-check
import process from 'node:process'
import { connect } from 'amqplib'
import pg from 'pg'

// Plain amqplib and pg: stores what is at hand in one transaction, broadcasts it, acks it. Runs until it is killed.

const [url = '', databaseUrl = '', prefetch = '', size = ''] = process.argv.slice(2)
const database = await new pg.Pool({ connectionString: databaseUrl }).connect()
const channel = await (await connect(url, { noDelay: true })).createConfirmChannel()
await channel.prefetch(Number(prefetch))
const atHand = /** @type {any[]} */ ([])
let serving = Promise.resolve()

const pairs = 'SELECT * FROM unnest($1::bigint[], $2::text[]) ORDER BY 1, 2'
const addConversations = `INSERT INTO chat.conversations (tenant_id, conversation_id) ${pairs} ON CONFLICT DO NOTHING`
const lockConversations = `SELECT *, concat(tenant_id, ' ', conversation_id) AS key FROM chat.conversations
  WHERE (tenant_id, conversation_id) IN (${pairs}) ORDER BY 1, 2 FOR UPDATE`
const findStored = `SELECT sequence, concat(tenant_id, ' ', message_id) AS key FROM chat.messages
  WHERE (tenant_id, message_id) IN (${pairs})`
const addMessages = `INSERT INTO chat.messages
    (tenant_id, message_id, conversation_id, sequence, sender_id, content, message_type, sent_at)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[]) ON CONFLICT (tenant_id, message_id) DO NOTHING`
const updateConversations = `UPDATE chat.conversations SET last_sequence = last
  FROM unnest($1::bigint[], $2::text[], $3::int[]) AS new (t, c, last) WHERE tenant_id = t AND conversation_id = c`
const fields = 'tenantId messageId conversationId sequence senderId content messageType timestamp'.split(' ')
/** @type {(sql: string, rows?: any[], ...fields: string[]) => Promise<Map<any, any>>} */
async function query(sql, rows = [], ...fields) {
  const columns = fields.map((field) => rows.map((row) => row[field]))
  return new Map((await database.query(sql, columns)).rows.map((row) => [row.key, row]))
}

async function serve() {
  const batch = atHand.splice(0, Number(size))
  const messages = batch.map(({ content }) => JSON.parse(content))
  await query('BEGIN')
  await query(addConversations, messages, 'tenantId', 'conversationId')
  const conversations = await query(lockConversations, messages, 'tenantId', 'conversationId')
  const stored = await query(findStored, messages, 'tenantId', 'messageId')
  for (const message of messages) {
    const [id, conversation] = [message.messageId, message.conversationId].map((key) => `${message.tenantId} ${key}`)
    message.sequence = Number(stored.get(id)?.sequence ?? ++conversations.get(conversation).last_sequence)
    stored.set(id, message)
  }
  await query(addMessages, messages, ...fields)
  await query(updateConversations, [...conversations.values()], 'tenant_id', 'conversation_id', 'last_sequence')
  await query('COMMIT')
  for (const [index, message] of messages.entries()) {
    const options = { ...batch[index].properties, deliveryMode: 1, appId: 'chat-worker' }
    const routingKey = `chat.${message.tenantId}.${message.conversationId}`
    channel.publish('realtime', routingKey, Buffer.from(JSON.stringify(message)), options)
  }
  await channel.waitForConfirms()
  channel.ack(batch.at(-1), true)
}
await channel.consume('chat.messages', (delivery) => {
  atHand.push(delivery)
  serving = serving.then(() => (atHand.length > 0 ? serve() : undefined))
})
