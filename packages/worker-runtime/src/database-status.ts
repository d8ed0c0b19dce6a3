/** The result of the last check of the database. */
export type DatabaseStatus =
  | { state: 'unknown' }
  | { state: 'up' }
  /** Reached, but something that the worker's tables need is not there; `error` says which command makes it. */
  | { state: 'not migrated'; error: string }
  /** It answers, and cannot do the work. `code` is PostgreSQL's, or `ENCODING` or `CLOCK`. */
  | { state: 'unusable'; error: string; code: string }
  | { state: 'down'; error: string }
