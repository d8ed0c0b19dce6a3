import type { Pool } from 'pg'
import { createDb, type Db } from '../data/db.js'
import { inTransaction } from '../database.js'
import { createMessageQueueService, type TransactionalMessageQueue } from './message-queue.service.js'

/** The rows and messages of one transaction. */
export interface Work {
  db: Db
  messageQueue: TransactionalMessageQueue
}

export type Transact = <T>(run: (work: Work) => Promise<T>) => Promise<T>

export function createTransact(pool: Pool): Transact {
  return (run) =>
    inTransaction(pool, (client) => run({ db: createDb(client), messageQueue: createMessageQueueService(client) }))
}
