import type { Pool } from 'pg'
import { deleteSent } from './message-store.js'

/**
 * Deletes what was sent, soon after: one statement at a time, each with all that was sent during the one before. So a
 * process that dies leaves few messages that are sent again.
 */
export function createDeletions(pool: Pool) {
  let sent: string[] = []
  let running: Promise<void> | undefined
  let failure: { error: unknown } | undefined

  async function run(): Promise<void> {
    while (sent.length > 0) {
      const positions = sent
      sent = []
      try {
        await deleteSent(pool, positions)
      } catch (error) {
        failure ??= { error }
      }
    }
    running = undefined
  }

  return {
    add(position: string): void {
      sent.push(position)
      running ??= run()
    },
    /** Resolves when all are deleted. @throws what the database said */
    async end(): Promise<void> {
      await running
      if (failure) throw failure.error
    },
  }
}
