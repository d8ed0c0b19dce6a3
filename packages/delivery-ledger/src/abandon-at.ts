import { settleWithin } from '@mono/waiting'
import type { RetentionDatabase } from './retention-options.js'

/**
 * The same database for somebody who waits for nothing once the signal is aborted: an answer may be as far away as another
 * transaction's lock, or the end of what all connections of the pool are lent out for. What was sent goes on until
 * the pool is closed.
 */
export function abandonAt(signal: AbortSignal, database: RetentionDatabase): RetentionDatabase {
  const unlessAborted = <T>(promise: Promise<T>) =>
    settleWithin(promise, { ms: Number.POSITIVE_INFINITY, signal, createError: () => new Error('There is no limit') })

  return {
    query: (sql, values) => unlessAborted(database.query(sql, values)),
    async connectAlone() {
      // Asked for after that, it is to cancel by.
      if (signal.aborted) return await database.connectAlone()
      const connecting = database.connectAlone()
      try {
        return await unlessAborted(connecting)
      } catch (error) {
        connecting.then((connection) => connection.end()).catch(() => undefined)
        throw error
      }
    },
  }
}
