import { type TestDatabase, waitFor } from '@mono/test-support'
import { findAdvisoryLocks } from './find-advisory-locks.js'

/** Has every commit with a new row of this table wait on the server, for at most the 8 s that a statement may take. */
export async function holdCommits(
  database: TestDatabase,
  table: 'example.messages' | 'example.notifications' = 'example.messages',
) {
  await database.query(`
    CREATE FUNCTION public.wait_for_test() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
      BEGIN PERFORM pg_advisory_xact_lock(20); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait_for_test AFTER INSERT ON ${table}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wait_for_test()`)
  const holder = await database.createPool().connect()
  await holder.query('SELECT pg_advisory_lock(20)')
  return {
    /** Resolves with the server's process when a commit waits. */
    async untilOneWaits(): Promise<number> {
      const findWaiting = async () => (await findAdvisoryLocks(database, { granted: false }))[0]
      return await waitFor(findWaiting, { what: 'a commit to wait' })
    },
    async letGo(): Promise<void> {
      await holder.query('SELECT pg_advisory_unlock(20)')
      holder.release()
    },
  }
}
