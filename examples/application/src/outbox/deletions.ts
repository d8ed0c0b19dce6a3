import type { Pool } from 'pg'
import { deleteSent } from './message-store.js'

export interface Deletions {
  add(position: string): void
  /** Resolves when all are deleted. @throws what the database said */
  end(): Promise<void>
}

/**
 * Deletes what was sent, soon after: one statement at a time, each with all that was sent during the one before. So a
 * process that dies leaves few messages that are sent again.
 */
export function createDeletions(pool: Pool): Deletions {
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
    add(position) {
      sent.push(position)
      running ??= run()
    },
    async end() {
      await running
      if (failure) throw failure.error
    },
  }
}
