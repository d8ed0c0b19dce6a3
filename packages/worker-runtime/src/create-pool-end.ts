import type pg from 'pg'
import { within } from './within.js'

/**
 * To be called when the pool is made: from then on it keeps account of the connections that are lent out. Gives the
 * function that ends the pool: what is still lent out after `limitMs` is closed with whatever runs on it. The pool by
 * itself would wait for it, and its sockets would keep the process alive.
 */
export function createPoolEnd(pool: pg.Pool, { limitMs }: { limitMs: number }): () => Promise<void> {
  const lent = new Set<pg.PoolClient>()
  pool.on('acquire', (client) => lent.add(client))
  pool.on('release', (_error, client) => lent.delete(client))

  return async () => {
    const ended = pool.end()
    if (await within(ended, limitMs)) return
    // With a query under way pg destroys the socket; the type of a lent client hides that it can be ended.
    for (const client of lent) void (client as unknown as pg.Client).end()
  }
}
