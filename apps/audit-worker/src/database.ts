/** The part of a `pg` pool that this worker uses. */
export interface Database {
  query(sql: string, values?: unknown[]): Promise<unknown>
}
