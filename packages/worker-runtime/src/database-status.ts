/** The result of the last check of the database. */
export type DatabaseStatus =
  | { state: 'unknown' }
  | { state: 'up' }
  /** Reached, but the worker's table is not there; `error` says which command makes it. */
  | { state: 'not migrated'; error: string }
  | { state: 'down'; error: string }
