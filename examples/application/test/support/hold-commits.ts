import { type TestDatabase, waitFor } from '@mono/test-support'

/** Has every commit of a message wait on the server, for at most the 8 s that a statement may take. */
export async function holdCommits(database: TestDatabase) {
  await database.query(`
    CREATE FUNCTION public.wait_for_test() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
      BEGIN PERFORM pg_advisory_xact_lock(20); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait_for_test AFTER INSERT ON example.messages
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wait_for_test()`)
  const holder = await database.createPool().connect()
  await holder.query('SELECT pg_advisory_lock(20)')
  const find = `SELECT pid FROM pg_locks WHERE locktype = $1 AND objid = 20 AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  return {
    /** Resolves with the server's process when a commit waits. */
    async untilOneWaits(): Promise<number> {
      let pid: number | undefined
      const isWaiting = async () => {
        const [row] = await database.query<{ pid: number }>(find, ['advisory'])
        pid = row?.pid
        return pid !== undefined
      }
      await waitFor(isWaiting, { what: 'a commit to wait' })
      return pid ?? 0
    },
    async letGo(): Promise<void> {
      await holder.query('SELECT pg_advisory_unlock(20)')
      holder.release()
    },
  }
}
