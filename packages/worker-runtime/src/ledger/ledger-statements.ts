/** The tables that are ledgers, and in which column of theirs the recipient is. */
export type LedgerNames =
  | { table: 'push.deliveries'; recipientColumn: 'device_id' }
  | { table: 'email.deliveries'; recipientColumn: 'recipient' }

export interface LedgerStatements {
  /** Tenant, message, recipients, lease in milliseconds, replay. */
  claim: string
  /** Tenant, message, recipients, attempts, states, provider ids, codes. */
  record: string
  /** Tenant, message, recipients, attempts, lease in milliseconds. */
  renew: string
  /** Tenant, message, recipients, attempts, codes. */
  release: string
  /** Tenant, message, recipients. */
  read: string
}

const recipientTypes = { device_id: 'bigint', recipient: 'text' } as const

/**
 * Every statement locks its rows in the order of the recipients, because two that lock the same rows in different
 * orders end in a deadlock. A claim locks the rows that it must not take, too: `ON CONFLICT DO UPDATE` looks at the
 * condition with the row already locked.
 */
export function createLedgerStatements({ table, recipientColumn: recipient }: LedgerNames): LedgerStatements {
  const type = recipientTypes[recipient]
  const message = 'd.tenant_id = $1::bigint AND d.message_id = $2::text'
  const leaseEnd = (parameter: string) => `now() + ${parameter}::float8 * interval '1 millisecond'`

  /** `given` has recipient, attempts and what `columns` adds; of these, `held` are the claims that are still good. */
  const withHeld = (unnested: string, columns = '') => `
    WITH given AS (
      SELECT * FROM unnest($3::${type}[], $4::int[]${unnested}) AS g(recipient, attempts${columns})
    ), held AS MATERIALIZED (
      SELECT g.*
      FROM given AS g JOIN ${table} AS d ON d.${recipient} = g.recipient AND d.attempts = g.attempts
      WHERE ${message} AND d.state = 'sending'
      ORDER BY d.${recipient}
      FOR UPDATE OF d
    )`
  const isHeld = `${message} AND d.${recipient} = h.recipient AND d.attempts = h.attempts AND d.state = 'sending'`
  const isAmbiguous = "coalesce(d.previous_state IN ('sending', 'unknown'), false)"

  return {
    claim: `
      INSERT INTO ${table} AS d (tenant_id, message_id, ${recipient}, state, attempts, lease_until, updated_at)
      SELECT DISTINCT $1::bigint, $2::text, r, 'sending', 1, ${leaseEnd('$4')}, now()
      FROM unnest($3::${type}[]) AS r
      ORDER BY r
      ON CONFLICT (tenant_id, message_id, ${recipient}) DO UPDATE
      SET previous_state = d.state, state = 'sending', attempts = d.attempts + 1,
        lease_until = excluded.lease_until, updated_at = now()
      WHERE d.state = 'retry'
        OR (d.state = 'sending' AND d.lease_until < now())
        OR ($5::boolean AND d.state IN ('failed', 'unknown'))
      RETURNING d.${recipient}::text AS recipient, d.attempts, ${isAmbiguous} AS ambiguous`,

    record: `${withHeld(', $5::text[], $6::text[], $7::text[]', ', state, provider_id, code')}
      UPDATE ${table} AS d
      SET state = h.state, provider_id = h.provider_id, last_code = h.code, lease_until = NULL, updated_at = now()
      FROM held AS h WHERE ${isHeld}`,

    renew: `${withHeld('')}
      UPDATE ${table} AS d SET lease_until = ${leaseEnd('$5')}
      FROM held AS h WHERE ${isHeld}
      RETURNING d.${recipient}::text AS recipient`,

    // 'retry' would say that it certainly was not sent; a lease that is over leaves open what an earlier claim left open.
    release: `${withHeld(', $5::text[]', ', code')}
      UPDATE ${table} AS d
      SET state = CASE WHEN ${isAmbiguous} THEN 'sending' ELSE 'retry' END,
        lease_until = CASE WHEN ${isAmbiguous} THEN now() END,
        last_code = coalesce(h.code, d.last_code), updated_at = now()
      FROM held AS h WHERE ${isHeld}`,

    read: `
      SELECT d.${recipient}::text AS recipient, d.state, d.last_code,
        coalesce(d.state = 'sending' AND d.lease_until > now(), false) AS leased
      FROM ${table} AS d
      WHERE ${message} AND d.${recipient} = ANY($3::${type}[])`,
  }
}
