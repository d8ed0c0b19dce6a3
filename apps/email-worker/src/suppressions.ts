import { createCoalescer, isDataFault, toDatabaseError } from '@mono/worker-runtime'
import type { Database } from './database.js'

export interface Suppressions {
  /**
   * Those of the addresses, in lower case, to which the tenant does not want anything sent.
   *
   * @throws DeferError or RetryableError if the database could not be asked
   */
  find(tenantId: number, addresses: readonly string[]): Promise<Set<string>>
}

interface Question {
  tenantId: number
  addresses: readonly string[]
}

/** `n` says which question the row answers. */
const findSql = `
  SELECT q.n, s.address
  FROM unnest($1::int[], $2::bigint[], $3::text[]) AS q(n, tenant_id, address)
  JOIN email.suppressions AS s ON s.tenant_id = q.tenant_id AND s.address = q.address`

export function createSuppressions(database: Database): Suppressions {
  async function findTogether(questions: readonly Question[]): Promise<Set<string>[]> {
    const asked = questions.flatMap(({ tenantId, addresses }, n) =>
      addresses.map((address) => ({ n, tenantId, address })),
    )
    const found = questions.map(() => new Set<string>())
    try {
      const { rows } = await database.query(findSql, [
        asked.map(({ n }) => n),
        asked.map(({ tenantId }) => tenantId),
        asked.map(({ address }) => address),
      ])
      for (const { n, address } of rows as { n: number; address: string }[]) found[n]?.add(address)
      return found
    } catch (error) {
      throw toDatabaseError(error)
    }
  }

  const find = createCoalescer({
    run: findTogether,
    sizeOf: ({ addresses }: Question) => addresses.length,
    maxSize: 1_000,
    isFaultOfOne: isDataFault,
  })
  return { find: (tenantId, addresses) => find({ tenantId, addresses }) }
}
