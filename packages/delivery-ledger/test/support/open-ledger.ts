import type { TestDatabase } from '@mono/test-support'
import type pg from 'pg'
import { createDeliveryLedger } from '../../src/create-delivery-ledger.js'

type LedgerTable = 'push.deliveries' | 'email.deliveries'

interface LedgerRow {
  recipient: string
  state: string
  previous_state: string | null
  attempts: number
  leased: boolean
  provider_id: string | null
  last_code: string | null
}

/** A ledger on a table of its own, in the shape that the workers' migrations give it. */
export async function openLedger(
  database: TestDatabase,
  { table = 'email.deliveries', pool = database.createPool() }: { table?: LedgerTable; pool?: pg.Pool } = {},
) {
  const [schema] = table.split('.')
  const [column, type] = table === 'push.deliveries' ? ['device_id', 'bigint'] : ['recipient', 'text']
  await database.query(`CREATE SCHEMA ${schema}`)
  await database.query(`
    CREATE TABLE ${table} (
      tenant_id bigint, message_id text, ${column} ${type},
      state text NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'retry', 'unknown')),
      previous_state text, attempts int NOT NULL, lease_until timestamptz,
      provider_id text, last_code text, updated_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, message_id, ${column})
    )`)
  const open = (leaseMs?: number) => {
    const options = leaseMs === undefined ? { pool } : { pool, leaseMs }
    return table === 'push.deliveries'
      ? createDeliveryLedger({ ...options, table, recipientColumn: 'device_id' })
      : createDeliveryLedger({ ...options, table, recipientColumn: 'recipient' })
  }

  return {
    ledger: open(),
    open,
    rows: () =>
      database.query<LedgerRow & Record<string, unknown>>(
        `SELECT tenant_id, message_id, ${column}::text AS recipient, state, previous_state, attempts,
           lease_until > now() AS leased, provider_id, last_code FROM ${table} ORDER BY tenant_id, message_id, ${column}`,
      ),
    /** What time does to the leases of a process that has died. */
    endLeases: () =>
      database.query(`UPDATE ${table} SET lease_until = now() - interval '1 second' WHERE state = 'sending'`),
  }
}
