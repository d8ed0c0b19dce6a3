export interface QueryResult {
  // biome-ignore lint/suspicious/noExplicitAny: what a row holds is known to whoever wrote the statement
  rows: any[]
}

export interface DatabaseClient {
  query(sql: string, values?: unknown[]): Promise<QueryResult>
  /** Gives the connection back; with `true` it is ended rather than used again. */
  release(destroy?: boolean): void
}

/** The part of a `pg` pool that this worker uses. */
export interface Database {
  connect(): Promise<DatabaseClient>
}
