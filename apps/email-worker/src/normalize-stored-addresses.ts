import type { Logger } from '@mono/message-queue'
import type { Database } from './database.js'
import { toKey } from './recipient.js'

/** So many keys are looked at in a transaction; only those that SQL cannot pass over come to this process. */
const batchSize = 20_000

/** The limits hold for a worker's statements; one that reads a batch from a cold disk may take longer. */
const begin = `
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL statement_timeout = 0;
  SET LOCAL client_connection_check_interval = '500ms';
  SELECT pg_advisory_xact_lock(hashtext('email.normalizing'), 0)`

/** Asked of the catalog itself, which another process may have changed since this one looked last. */
const isUnderWay = `
  SELECT EXISTS (
    SELECT FROM pg_class WHERE relname = 'normalizing' AND relnamespace = 'email'::regnamespace
  ) AS "isUnderWay"`

const readPosition = 'SELECT tenant_id::text AS tenant, message_id AS message, recipient FROM email.normalizing'

/**
 * The index of the primary key has all that is asked for, so the table itself is hardly read. The row where the batch
 * ends comes last, whether it needs normalizing or not.
 */
const nextBatch = `
  WITH batch AS MATERIALIZED (
    SELECT tenant_id, message_id, recipient, row_number() OVER (ORDER BY tenant_id, message_id, recipient) AS n
    FROM email.deliveries
    WHERE (tenant_id, message_id, recipient) > ($1::bigint, $2::text, $3::text)
    ORDER BY tenant_id, message_id, recipient LIMIT $4
  ), ended AS (
    SELECT max(n) AS n FROM batch
  )
  SELECT tenant_id::text AS tenant, message_id AS message, recipient
  FROM batch WHERE email.needs_normalizing(recipient) OR n = (SELECT n FROM ended)
  ORDER BY n`

const movePosition = 'UPDATE email.normalizing SET tenant_id = $1, message_id = $2, recipient = $3'

/** As a claim does it: nobody claims a recipient of these messages until the transaction ends. */
const lockMessages = `
  SELECT pg_advisory_xact_lock(lock.key)
  FROM (
    SELECT DISTINCT hashtextextended('email.deliveries ' || m.tenant_id || ' ' || m.message_id, 0) AS key
    FROM unnest($1::bigint[], $2::text[]) AS m(tenant_id, message_id)
    ORDER BY key
  ) AS lock`

/** Locks the rows of both spellings. A row under a lease is left alone: its holder knows it by its old key. */
const lockRows = `
  SELECT d.tenant_id::text AS tenant, d.message_id AS message, d.recipient, d.state,
    coalesce(d.state = 'sending' AND d.lease_until > now(), false) AS leased
  FROM email.deliveries AS d
  WHERE (d.tenant_id, d.message_id, d.recipient) IN (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])
    UNION ALL
    SELECT * FROM unnest($1::bigint[], $2::text[], $4::text[])
  )
  ORDER BY d.tenant_id, d.message_id, d.recipient
  FOR UPDATE`

const deleteRows = `
  DELETE FROM email.deliveries AS d USING unnest($1::bigint[], $2::text[], $3::text[]) AS g(tenant_id, message_id, recipient)
  WHERE d.tenant_id = g.tenant_id AND d.message_id = g.message_id AND d.recipient = g.recipient`

const renameRows = `
  UPDATE email.deliveries AS d SET recipient = g.normal
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS g(tenant_id, message_id, recipient, normal)
  WHERE d.tenant_id = g.tenant_id AND d.message_id = g.message_id AND d.recipient = g.recipient`

const nextSuppressions = `
  SELECT tenant_id::text AS tenant, address FROM email.suppressions
  WHERE email.needs_normalizing(address) AND (tenant_id, address) > ($1::bigint, $2::text)
  ORDER BY tenant_id, address LIMIT $3`

/** The spelling that was suppressed first stays, if there are several. */
const moveSuppressions = `
  WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS g(tenant_id, address, normal)
  ), gone AS (
    DELETE FROM email.suppressions AS s USING given AS g
    WHERE s.tenant_id = g.tenant_id AND s.address = g.address
    RETURNING s.tenant_id, g.normal, s.reason, s.created_at
  )
  INSERT INTO email.suppressions AS s (tenant_id, address, reason, created_at)
  SELECT DISTINCT ON (tenant_id, normal) tenant_id, normal, reason, created_at FROM gone
  ORDER BY tenant_id, normal, created_at
  ON CONFLICT (tenant_id, address) DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at
  WHERE excluded.created_at < s.created_at`

interface Key {
  tenant: string
  message: string
  recipient: string
}

interface Row extends Key {
  state: string
  leased: boolean
}

/**
 * Brings the addresses that workers before normal forms have stored into normal form: first those to which nothing is
 * sent, then the ledger's, batch by batch. May be interrupted at any point and called again, also by several processes at
 * once. Does nothing once all is done; what the application stores later stays as it is.
 *
 * Where two spellings of an address had a row each, the one stays that says most: sent, then nobody knows, then failed.
 *
 * @param client a single connection
 */
export async function normalizeStoredAddresses(client: Database, logger: Logger): Promise<void> {
  const suppressions = await repeat(client, createSuppressionsStep())
  const deliveries = await repeat(client, normalizeDeliveries)
  if (suppressions + deliveries === 0) return
  logger.info({ suppressions, deliveries }, 'Stored addresses were brought into normal form')
}

interface Step {
  changed: number
  isOver: boolean
}

/** Takes step after step, each in a transaction, until there is nothing left or another process has done it. */
async function repeat(client: Database, takeStep: (client: Database) => Promise<Step>): Promise<number> {
  let changed = 0
  for (let isOver = false; !isOver; ) {
    await client.query(begin)
    const [row] = (await client.query(isUnderWay)).rows as { isUnderWay: boolean }[]
    const step = row?.isUnderWay ? await takeStep(client) : { changed: 0, isOver: true }
    await client.query('COMMIT')
    changed += step.changed
    isOver = step.isOver
  }
  return changed
}

/** There are few that need it, and an index finds them: whoever is interrupted begins again. */
function createSuppressionsStep() {
  let last = { tenant: '0', address: '' }
  return async (client: Database): Promise<Step> => {
    const { rows } = await client.query(nextSuppressions, [last.tenant, last.address, 1_000])
    const found = rows as { tenant: string; address: string }[]
    const changed = found.filter(({ address }) => toKey(address) !== address)
    if (changed.length > 0) {
      const addresses = changed.map(({ address }) => address)
      await client.query(moveSuppressions, [
        changed.map(({ tenant }) => tenant),
        addresses,
        addresses.map((address) => toKey(address)),
      ])
    }
    last = found.at(-1) ?? last
    return { changed: changed.length, isOver: found.length === 0 }
  }
}

async function normalizeDeliveries(client: Database): Promise<Step> {
  const [position] = (await client.query(readPosition)).rows as Key[]
  const { tenant, message, recipient } = position ?? { tenant: '0', message: '', recipient: '' }
  const batch = (await client.query(nextBatch, [tenant, message, recipient, batchSize])).rows as Key[]
  const last = batch.at(-1)
  if (last === undefined) {
    await client.query('DROP TABLE email.normalizing')
    return { changed: 0, isOver: true }
  }
  const changed = batch.filter((row) => toNormal(row) !== row.recipient)
  const count = changed.length > 0 ? await renameRecipients(client, changed) : 0
  await client.query(movePosition, [last.tenant, last.message, last.recipient])
  return { changed: count, isOver: false }
}

/** @returns how many rows were changed or deleted */
async function renameRecipients(client: Database, keys: readonly Key[]): Promise<number> {
  const [tenants, messages, recipients] = toColumns(keys)
  await client.query(lockMessages, [tenants, messages])
  const { rows } = await client.query(lockRows, [tenants, messages, recipients, keys.map((key) => toNormal(key))])
  const kept: Row[] = []
  const dropped: Row[] = []
  for (const rivals of groupByNormal(rows as Row[])) {
    if (rivals.some(({ leased }) => leased)) continue
    const [best, ...others] = rivals.toSorted((a, b) => rankOf(a) - rankOf(b))
    if (best) kept.push(best)
    dropped.push(...others)
  }
  if (dropped.length > 0) await client.query(deleteRows, toColumns(dropped))
  const renamed = kept.filter((row) => toNormal(row) !== row.recipient)
  if (renamed.length > 0) await client.query(renameRows, [...toColumns(renamed), renamed.map(toNormal)])
  return dropped.length + renamed.length
}

const toNormal = ({ recipient }: Key) => toKey(recipient)

function toColumns(keys: readonly Key[]) {
  return [keys.map(({ tenant }) => tenant), keys.map(({ message }) => message), keys.map(({ recipient }) => recipient)]
}

function groupByNormal(rows: readonly Row[]): Iterable<Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.tenant, row.message, toNormal(row)])
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return groups.values()
}

/** A claim whose lease is over may have been sent, and says more than one that certainly was not. */
const ranks = ['sent', 'unknown', 'failed', 'sending', 'retry']

const rankOf = ({ state }: Row) => ranks.indexOf(state)
