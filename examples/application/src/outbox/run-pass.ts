import type { Pool } from 'pg'
import { createDeletions } from './deletions.js'
import { type Failure, findLast, markFailed, readBatch, type WaitingMessage } from './message-store.js'
import type { OutboxMessage } from './outbox-message.js'

export interface Sender {
  /** Resolves when the broker has the message; called again, with the same id, until it has. */
  send(message: OutboxMessage): Promise<unknown>
  /** A message that can never be sent as it is: why. Undefined: nothing is wrong with it, and it is tried again. */
  findFailure(error: unknown): Failure | undefined
}

export interface PassOptions extends Sender {
  pool: Pool
  lane: string
  /** Asked before each message. */
  mayGoOn(): boolean
  onSent(message: OutboxMessage): void
  onFailed(message: OutboxMessage, failure: Failure): void
}

/** `drained`: all are sent or marked. `stopped`: `mayGoOn` said no. */
export type PassOutcome = 'drained' | 'stopped' | { heldBy: unknown }

/**
 * Sends what waits in a lane when the pass begins. Messages of one key go one after the other, each when the broker has
 * confirmed the one before; keys go side by side. So a message never arrives before its predecessor, whatever becomes of
 * either, and also when two relays send the same lane: each of them has its predecessor confirmed, or finds it deleted
 * because somebody had. What is sent twice has the same id.
 *
 * The pass goes on from where a batch ended, past the dead rows of what it has deleted, so it must not meet a message
 * whose predecessor was not yet committed when it went by. Such a message gets its position after that commit, thus after
 * the pass began, thus above every position that was visible then: none of those is sent by this pass.
 */
export async function runPass(options: PassOptions): Promise<PassOutcome> {
  const { pool, lane } = options
  const last = await findLast(pool, lane)
  if (last === undefined) return 'drained'
  for (let after = '0'; ; ) {
    const batch = await readBatch(pool, { lane, after, last })
    const end = batch.at(-1)
    if (end === undefined) return 'drained'
    const outcome = await sendBatch(batch, options)
    if (outcome !== 'drained') return outcome
    after = end.position
  }
}

async function sendBatch(batch: readonly WaitingMessage[], options: PassOptions): Promise<PassOutcome> {
  const { pool, send, findFailure, mayGoOn, onSent, onFailed } = options
  const deletions = createDeletions(pool)
  let outcome: PassOutcome = 'drained'

  async function sendInOrder(messages: readonly WaitingMessage[]): Promise<void> {
    for (const message of messages) {
      if (outcome !== 'drained') return
      if (!mayGoOn()) {
        outcome = 'stopped'
        return
      }
      try {
        await send(message)
      } catch (error) {
        const failure = findFailure(error)
        if (failure === undefined) {
          outcome = { heldBy: error }
          return
        }
        await markFailed(pool, message.position, failure)
        onFailed(message, failure)
        continue
      }
      deletions.add(message.position)
      onSent(message)
    }
  }

  const sending = await Promise.allSettled(groupByKey(batch).map(sendInOrder))
  await deletions.end()
  for (const result of sending) if (result.status === 'rejected') throw result.reason
  return outcome
}

function groupByKey(batch: readonly WaitingMessage[]): WaitingMessage[][] {
  const groups = new Map<string, WaitingMessage[]>()
  for (const message of batch) {
    const key = `${message.tenantId} ${message.orderKey}`
    const group = groups.get(key)
    if (group) group.push(message)
    else groups.set(key, [message])
  }
  return [...groups.values()]
}
