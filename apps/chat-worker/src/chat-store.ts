import type { ChatMessage, StoredChatMessage } from '@mono/contracts'
import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import { isDataFault, sqlStateOf, toDatabaseError } from '@mono/worker-runtime'
import { conversationKey } from './conversation-key.js'
import type { Database, DatabaseClient } from './database.js'
import { storeTogether } from './store-together.js'

/** The result for one message of a batch. */
export type Outcome = { stored: StoredChatMessage; isNew: boolean } | { failure: Error }

export interface ChatStore {
  /**
   * Stores each message under the next sequence of its conversation, once, in the order given: for a message that is
   * there already the outcome is what is there, and `isNew` is false. Sequences are in the order of commits and without
   * gaps, however many processes store at the same time.
   *
   * A message fails by itself, with
   * - PermanentError ID_CONFLICT if another message of the tenant has this id, in whatever conversation
   * - PermanentError INVALID_MESSAGE if PostgreSQL refuses it for its data
   * - DeferError if its conversation is locked by somebody else, or an earlier message of its conversation has failed in
   *   a way that may pass
   * - another error if PostgreSQL has failed over it and no other
   *
   * @throws DeferError DATABASE_UNAVAILABLE if the database could not be asked; some may have been stored
   */
  storeBatch(messages: readonly ChatMessage[]): Promise<Outcome[]>
}

export function createChatStore(database: Database): ChatStore {
  return {
    async storeBatch(messages) {
      const outcomes = new Map<ChatMessage, Outcome>()
      await storePart({ database, outcomes, heldUp: new Set(), lockTimeouts: 0 }, messages)
      return messages.map((message) => outcomes.get(message) ?? heldUpBehind)
    },
  }
}

interface Batch {
  database: Database
  outcomes: Map<ChatMessage, Outcome>
  /** Conversations of which a message is not stored yet, so that no later one may be. */
  heldUp: Set<string>
  /** Transactions that have waited for a lock in vain. */
  lockTimeouts: number
}

/**
 * More than it takes to single one message out of a batch. With nothing stored by then, it is no message's fault: somebody
 * has locked the table.
 */
const lockTimeoutsAtMost = 8

const heldUpBehind: Outcome = {
  failure: new DeferError('An earlier message of the conversation is not stored yet'),
}

/**
 * One transaction, and another if it was in conflict with somebody else's; if that fails over a message, two of half the
 * size, until the message stands alone.
 */
async function storePart(batch: Batch, messages: readonly ChatMessage[], isSecondTry = false): Promise<void> {
  const { database, heldUp } = batch
  const open = messages.filter((message) => !heldUp.has(conversationKey(message)))
  const [first] = open
  if (first === undefined) return
  try {
    const outcomes = await withClient(database, (client) => storeTogether(client, open))
    for (const [message, outcome] of outcomes) conclude(batch, message, outcome)
  } catch (error) {
    const failure = toStoreError(error)
    if (sqlStateOf(error) === lockNotAvailable) batch.lockTimeouts += 1
    if (batch.lockTimeouts > lockTimeoutsAtMost && batch.outcomes.size === 0) {
      throw new DeferError('Nothing can be stored for a lock', { code: 'DATABASE_UNAVAILABLE', cause: error })
    }
    if (failure instanceof DeferError && failure.code === 'DATABASE_UNAVAILABLE') throw failure
    if (failure instanceof RetryableError && !isSecondTry) return await storePart(batch, open, true)
    if (open.length === 1) {
      conclude(batch, first, { failure })
      return
    }
    const half = open.length >> 1
    await storePart(batch, open.slice(0, half))
    await storePart(batch, open.slice(half))
  }
}

function conclude({ outcomes, heldUp }: Batch, message: ChatMessage, outcome: Outcome): void {
  outcomes.set(message, outcome)
  if ('failure' in outcome && !(outcome.failure instanceof PermanentError)) heldUp.add(conversationKey(message))
}

/**
 * After an error nobody knows what state the connection is in, so it is ended. PostgreSQL tells of the error before it ends
 * the transaction, whose locks would be taken for somebody else's by the next one: it answers ROLLBACK after that.
 */
async function withClient<T>(database: Database, use: (client: DatabaseClient) => Promise<T>): Promise<T> {
  const client = await database.connect()
  try {
    const result = await use(client)
    client.release()
    return result
  } catch (error) {
    if (sqlStateOf(error) !== undefined) await client.query('ROLLBACK').catch(() => undefined)
    client.release(true)
    throw error
  }
}

const lockNotAvailable = '55P03'

function toStoreError(error: unknown): Error {
  if (sqlStateOf(error) === lockNotAvailable) {
    return new DeferError('Another transaction holds a lock that the message needs', { cause: error })
  }
  if (!isDataFault(error)) return toDatabaseError(error)
  const reason = error instanceof Error ? error.message : String(error)
  return new PermanentError(`PostgreSQL refused the message: ${reason}`, { code: 'INVALID_MESSAGE', cause: error })
}
