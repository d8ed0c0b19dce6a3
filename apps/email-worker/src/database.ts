/** The part of a `pg` pool that this worker uses by itself. */
export interface Database {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}
