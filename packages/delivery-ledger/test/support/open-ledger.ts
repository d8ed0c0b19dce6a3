import { readdir, readFile } from 'node:fs/promises'
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
  last_reason: string | null
}

/** A ledger on a table of its own, as the worker's migrations make it. */
export async function openLedger(
  database: TestDatabase,
  { table = 'email.deliveries', pool = database.createPool() }: { table?: LedgerTable; pool?: pg.Pool } = {},
) {
  const [schema] = table.split('.')
  const column = table === 'push.deliveries' ? 'device_id' : 'recipient'
  await database.query(`CREATE SCHEMA ${schema}`)
  for (const statements of await readMigrations(`${schema}-worker`)) await database.query(statements)
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
           lease_until > now() AS leased, provider_id, last_code, last_reason FROM ${table} ORDER BY tenant_id, message_id, ${column}`,
      ),
    /** What time does to the leases of a process that has died. */
    endLeases: () =>
      database.query(`UPDATE ${table} SET lease_until = now() - interval '1 second' WHERE state = 'sending'`),
  }
}

async function readMigrations(app: string): Promise<string[]> {
  const directory = new URL(`../../../../apps/${app}/migrations/`, import.meta.url)
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()
  return await Promise.all(files.map((file) => readFile(new URL(file, directory), 'utf8')))
}
