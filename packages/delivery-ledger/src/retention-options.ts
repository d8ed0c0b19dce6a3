import type { Logger } from '@mono/message-queue'

/** The part of a `pg` pool that deleting uses. */
export interface RetentionDatabase {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>
  /** A connection beside those that claims need: see `ensureFinishedIndex`. */
  connectAlone(): Promise<RetentionConnection>
}

export interface RetentionConnection {
  query(query: { text: string; values?: unknown[]; query_timeout: number }): Promise<{ rows: unknown[] }>
  end(): Promise<void>
}

export interface LedgerRetentionOptions {
  pool: RetentionDatabase
  table: 'push.deliveries' | 'email.deliveries'
  /** A row that was finished so many days ago is deleted. At least 1: a message and its retries are over by then. */
  days: number
  logger: Logger
  pace?: Partial<RetentionPace>
}

/** Replaced by tests. */
export interface RetentionPace {
  /** How long after the end of one clean-up the next begins. */
  everyMs: number
  /** How often a process looks whether it is time, and nobody at it. */
  pollMs: number
  /** Rows deleted by one statement. */
  stepRows: number
  /** Between two statements; a statement that took longer is followed by a pause as long as it took. */
  pauseMs: number
  /** For how long the lease holds without being renewed. A statement is cancelled sooner. */
  leaseMs: number
}

/** 5,000 rows a second at most: 10 million rows take half an hour. */
export const defaultPace: RetentionPace = {
  everyMs: 3_600_000,
  pollMs: 60_000,
  stepRows: 1_000,
  pauseMs: 200,
  leaseMs: 60_000,
}
