import { randomUUID } from 'node:crypto'
import type { TrialJournal } from '@mono/message-queue'
import type { QueryResult } from './database.js'

export interface TrialDatabase {
  query(sql: string, values: unknown[]): Promise<QueryResult>
}

/** Longer than a message lives. */
const keptFor = '2 days'

/** The trials in `chat.trials`, which outlive the process and which all replicas see. */
export function createTrialJournal(database: TrialDatabase): TrialJournal {
  // Another one for each process, whatever its host and pid.
  const thisProcess = randomUUID()
  return {
    async begin(message) {
      const { rows } = await database.query(
        `WITH forgotten AS (DELETE FROM chat.trials WHERE begun_at < now() - $2::interval AND message <> $1)
         INSERT INTO chat.trials AS trial (message, tries, begun_by) VALUES ($1, 1, $3)
         ON CONFLICT (message) DO UPDATE SET
           tries = trial.tries + (trial.begun_by <> $3)::int, begun_by = $3, begun_at = now()
         RETURNING tries - 1 AS before`,
        [message, keptFor, thisProcess],
      )
      const [row]: { before: number }[] = rows
      return row?.before ?? 0
    },
    async end(message) {
      await database.query('DELETE FROM chat.trials WHERE message = $1', [message])
    },
  }
}
