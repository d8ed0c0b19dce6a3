import { toDatabaseError } from '@mono/worker-runtime'
import type { Database } from './database.js'

export interface Suppressions {
  /**
   * Those of the addresses, in lower case, to which the tenant does not want anything sent.
   *
   * @throws DeferError or RetryableError if the database could not be asked
   */
  find(tenantId: number, addresses: readonly string[]): Promise<Set<string>>
}

export function createSuppressions(database: Database): Suppressions {
  return {
    async find(tenantId, addresses) {
      try {
        const { rows } = await database.query(
          'SELECT address FROM email.suppressions WHERE tenant_id = $1 AND address = ANY($2)',
          [tenantId, addresses],
        )
        return new Set((rows as { address: string }[]).map(({ address }) => address))
      } catch (error) {
        throw toDatabaseError(error)
      }
    },
  }
}
