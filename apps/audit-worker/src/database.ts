/** The part of a `pg` pool or client that this worker uses. */
export interface Database {
  query(sql: string, values?: unknown[]): Promise<QueryResult>
}

interface QueryResult {
  rows: unknown[]
  /** Rows that the statement has inserted or found. */
  rowCount: number | null
}
