/** PgBouncer says this with a code that it uses for everything. */
const poolerRefusal = /^no more connections allowed/

/** The server is there, but has no connection left: for anybody, for the role, or for the database. */
export function isConnectionRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (error as { code?: unknown }).code === '53300' || poolerRefusal.test(error.message)
}
