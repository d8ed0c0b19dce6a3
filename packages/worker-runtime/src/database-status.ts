/** What the last look at the database found. */
export type DatabaseStatus =
  | { state: 'unknown' }
  | { state: 'up' }
  /** Reached, but the worker's table is not there; `error` says which command makes it. */
  | { state: 'not migrated'; error: string }
  | { state: 'down'; error: string }
