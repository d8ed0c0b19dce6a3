// @ts-check
import process from 'node:process'
import { connect } from 'amqplib'
import pg from 'pg'

// Plain amqplib and pg: consumes, records each 500 events with one statement, acks each. Runs until it is killed.

const [url = '', databaseUrl = '', prefetch = '', size = ''] = process.argv.slice(2)
const insert = `
  INSERT INTO audit.events
    (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key, recorded_at)
  SELECT *, now() FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::jsonb[], $9::text[])
  ON CONFLICT DO NOTHING`

const pool = new pg.Pool({ connectionString: databaseUrl })
const channel = await (await connect(url)).createChannel()
await channel.prefetch(Number(prefetch))

/** @param {import('amqplib').ConsumeMessage[]} batch */
async function record(batch) {
  const rows = batch.map(({ content, fields, properties }) => {
    const event = JSON.parse(content.toString())
    const { tenantId, timestamp, eventType, userId, entityType, entityId, changes } = event
    const { messageId } = properties
    const what = [eventType, userId, entityType, entityId, JSON.stringify(changes)]
    return [tenantId, messageId, timestamp, ...what, fields.routingKey]
  })
  const columns = Array.from({ length: 9 }, (_, column) => rows.map((row) => row[column]))
  await pool.query(insert, columns)
  for (const message of batch) channel.ack(message)
}

/** @type {import('amqplib').ConsumeMessage[]} */
const batch = []
await channel.consume('audit.events', (message) => {
  if (message) batch.push(message)
  if (batch.length === Number(size)) void record(batch.splice(0))
})
