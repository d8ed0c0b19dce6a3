import { createCoalescer, isDataFault, toDatabaseError } from '@mono/worker-runtime'
import type { Database } from './database.js'
import { type Recipient, toKey } from './recipient.js'

export interface Suppressions {
  /**
   * The keys of those recipients to whom the tenant does not want anything sent.
   *
   * @throws DeferError or RetryableError if the database could not be asked
   */
  find(tenantId: number, recipients: readonly Recipient[]): Promise<Set<string>>
}

interface Question {
  tenantId: number
  recipients: readonly Recipient[]
}

/**
 * `n` says which question the row answers. Rows are the application's: those that it has not brought into normal form are
 * compared one by one, because a suppression that does nothing is worse than a slow one.
 */
const findSql = `
  WITH q AS (SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[]) AS q(n, tenant_id, address))
  SELECT q.n, s.address
  FROM q JOIN email.suppressions AS s ON s.tenant_id = q.tenant_id AND s.address = q.address
  UNION ALL
  SELECT q.n, s.address
  FROM (SELECT DISTINCT n, tenant_id FROM q) AS q
  JOIN email.suppressions AS s ON s.tenant_id = q.tenant_id AND email.needs_normalizing(s.address)`

export function createSuppressions(database: Database): Suppressions {
  async function findTogether(questions: readonly Question[]): Promise<Set<string>[]> {
    const keysByAddress = questions.map(({ recipients }) => toKeysByAddress(recipients))
    const asked = questions.flatMap(({ tenantId }, n) =>
      [...(keysByAddress[n]?.keys() ?? [])].map((address) => ({ n, tenantId, address })),
    )
    const found = questions.map(() => new Set<string>())
    try {
      const { rows } = await database.query(findSql, [
        asked.map(({ n }) => n),
        asked.map(({ tenantId }) => tenantId),
        asked.map(({ address }) => address),
      ])
      for (const { n, address } of rows as { n: number; address: string }[]) {
        const keys = keysByAddress[n]?.get(address) ?? keysByAddress[n]?.get(toKey(address)) ?? []
        for (const key of keys) found[n]?.add(key)
      }
      return found
    } catch (error) {
      throw toDatabaseError(error)
    }
  }

  const find = createCoalescer({
    run: findTogether,
    sizeOf: ({ recipients }: Question) => recipients.length,
    maxSize: 1_000,
    isFaultOfOne: isDataFault,
  })
  return { find: (tenantId, recipients) => find({ tenantId, recipients }) }
}

/**
 * What may stand in the table for a recipient: the normal form, and each spelling in lower case, as an application writes
 * it that knows no normal form. Two recipients may have one spelling in lower case: `É` and `é` tell them apart.
 */
function toKeysByAddress(recipients: readonly Recipient[]): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>()
  const note = (address: string, key: string) => keys.set(address, (keys.get(address) ?? new Set()).add(key))
  for (const { key, spellings } of recipients) {
    for (const spelling of spellings) {
      for (const address of [toKey(spelling), spelling.toLowerCase(), toAsciiLowerCase(spelling)]) note(address, key)
    }
  }
  return keys
}

/** As PostgreSQL does it where it knows no letters but ASCII. */
function toAsciiLowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
