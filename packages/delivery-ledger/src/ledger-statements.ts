/** The tables that are ledgers, each with the column of its recipient. */
export type LedgerNames =
  | { table: 'push.deliveries'; recipientColumn: 'device_id' }
  | { table: 'email.deliveries'; recipientColumn: 'recipient' }

export interface LedgerStatements {
  /**
   * Parameters: tenant, id, digest of each message, and whether it starts anew; number of its message and recipient of
   * each row; lease in milliseconds; time of the replay or null.
   */
  claim: string
  /** Tenants, messages, recipients, attempts, states, provider ids, codes, reasons; of mails also providers. */
  record: string
  /** Tenants, messages, recipients, attempts; lease in milliseconds. */
  renew: string
  /** Tenants, messages, recipients, attempts, codes, reasons. */
  release: string
  /** Tenant, message; recipients. */
  read: string
}

const recipientTypes = { device_id: 'bigint', recipient: 'text' } as const

/** A device has one provider that can serve it; a mail may go by any. */
export function keepsProvider({ table }: LedgerNames): boolean {
  return table === 'email.deliveries'
}

/**
 * Lists are of equal length, one entry for each row. Every statement locks its rows in the order of their key, because
 * two that lock the same rows in different orders end in a deadlock. A claim also locks the rows that it must not take:
 * `ON CONFLICT DO UPDATE` looks at its condition when the row is already locked. It is a function of the worker's
 * migrations, `<schema>.claim_deliveries`.
 */
export function createLedgerStatements(names: LedgerNames): LedgerStatements {
  const { table, recipientColumn: recipient } = names
  const type = recipientTypes[recipient]
  const [schema] = table.split('.')
  const key = `d.tenant_id, d.message_id, d.${recipient}`
  const leaseEnd = (parameter: string) => `now() + ${parameter}::float8 * interval '1 millisecond'`

  const isClaim = (given: string) =>
    `d.tenant_id = ${given}.tenant_id AND d.message_id = ${given}.message_id AND d.${recipient} = ${given}.recipient
      AND d.attempts = ${given}.attempts AND d.state = 'sending'`

  /** `given`: the rows' keys, attempts and the further `columns`. `held`: those of them whose claims are still good. */
  const withHeld = (unnested: string, columns = '') => `
    WITH given AS (
      SELECT * FROM unnest($1::bigint[], $2::text[], $3::${type}[], $4::int[]${unnested})
        AS g(tenant_id, message_id, recipient, attempts${columns})
    ), held AS MATERIALIZED (
      SELECT g.*
      FROM given AS g JOIN ${table} AS d ON ${isClaim('g')}
      ORDER BY ${key}
      FOR UPDATE OF d
    )`
  const isHeld = isClaim('h')
  const returnedKey = `d.tenant_id::text AS tenant, d.message_id AS message, d.${recipient}::text AS recipient`
  const isAmbiguous = "d.previous_state IS NOT DISTINCT FROM 'sending'"

  return {
    claim: `
      SELECT * FROM ${schema}.claim_deliveries(
        $1::bigint[], $2::text[], $3::bytea[], $4::boolean[], $5::int[], $6::${type}[], $7::float8, $8::timestamptz)`,

    record: `${withHeld(
      `, $5::text[], $6::text[], $7::text[], $8::text[]${keepsProvider(names) ? ', $9::text[]' : ''}`,
      `, state, provider_id, code, reason${keepsProvider(names) ? ', provider' : ''}`,
    )}
      UPDATE ${table} AS d
      SET state = h.state, provider_id = h.provider_id, last_code = h.code, last_reason = h.reason,
        ${keepsProvider(names) ? 'provider = h.provider,' : ''} lease_until = NULL, updated_at = now()
      FROM held AS h WHERE ${isHeld}
      RETURNING ${returnedKey}, d.attempts`,

    renew: `${withHeld('')}
      UPDATE ${table} AS d SET lease_until = ${leaseEnd('$5')}
      FROM held AS h WHERE ${isHeld}
      RETURNING d.${recipient}::text AS recipient`,

    // A claim that is released stays ambiguous if it was so: `sending` with a lease that is over says that. A recipient
    // who was `unknown` becomes `retry`: somebody has decided to send it again, and that holds when the replay comes back.
    release: `${withHeld(', $5::text[], $6::text[]', ', code, reason')}
      UPDATE ${table} AS d
      SET state = CASE WHEN ${isAmbiguous} THEN 'sending' ELSE 'retry' END,
        lease_until = CASE WHEN ${isAmbiguous} THEN now() END,
        last_code = coalesce(h.code, d.last_code),
        last_reason = CASE WHEN h.code IS NULL THEN d.last_reason ELSE h.reason END, updated_at = now()
      FROM held AS h WHERE ${isHeld}`,

    read: `
      SELECT d.${recipient}::text AS recipient, d.state, d.last_code, d.last_reason,
        coalesce(d.state = 'sending' AND d.lease_until > now(), false) AS leased
      FROM ${table} AS d
      WHERE d.tenant_id = $1::bigint AND d.message_id = $2::text AND d.${recipient} = ANY($3::${type}[])`,
  }
}
