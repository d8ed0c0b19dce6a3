import pg from 'pg'
import { UnavailableError } from './errors.js'
import { createMessageQueueService, type TransactionalMessageQueue } from './services/message-queue.service.js'

/** The rows and messages of one transaction: they become true together, or not at all. */
export interface Work {
  db: pg.ClientBase
  messageQueue: TransactionalMessageQueue
}

export function createPool(databaseUrl: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'example application',
    connectionTimeoutMillis: 3_000,
    // A server that is gone without a word must not keep a request for ever.
    query_timeout: 10_000,
    keepAlive: true,
  })
  // Told of connections that are lost while idle; without a listener it would end the process.
  pool.on('error', () => undefined)
  return pool
}

/** On the server too, for one whose client has gone: its locks stop others. Set for the transaction, as poolers need it. */
const begin = `
  BEGIN;
  SET LOCAL statement_timeout = '8s';
  SET LOCAL lock_timeout = '3s';
  SET LOCAL idle_in_transaction_session_timeout = '10s'`

/**
 * Commits what `run` does, or nothing of it.
 *
 * @throws UnavailableError if the database cannot be reached; it says whether something may have been committed
 */
export async function inTransaction<T>(pool: pg.Pool, run: (work: Work) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new UnavailableError({ accepted: false }, { cause: error })
  })
  const ignore = () => undefined
  client.on('error', ignore)
  let accepted: false | 'unknown' = false
  let isBroken = false
  try {
    await client.query(begin)
    const result = await run({ db: client, messageQueue: createMessageQueueService(client) })
    accepted = 'unknown'
    await client.query('COMMIT')
    return result
  } catch (error) {
    // A server that does not answer would keep the rollback waiting as well. When it loses the connection it rolls back.
    isBroken = isUnanswered(error)
    if (!isBroken)
      await client.query('ROLLBACK').catch(() => {
        isBroken = true
      })
    throw isUnavailable(error) ? new UnavailableError({ accepted }, { cause: error }) : error
  } finally {
    client.off('error', ignore)
    client.release(isBroken)
  }
}

/** Lost connections, shutdown, no resources, locks that others hold. */
const unavailableCode = /^(E[A-Z]+|08...|53...|57...|58...|40...|25P03|55P03)$/
const unavailableMessage = /Connection terminated|timeout|not queryable/i

/** The connection is lost, or a statement has waited too long: the server itself has said nothing. */
const isUnanswered = (error: unknown) => isUnavailable(error) && !(error instanceof pg.DatabaseError)

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? unavailableCode.test(code) : unavailableMessage.test(error.message)
}
