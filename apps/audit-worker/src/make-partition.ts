import { DeferError } from '@mono/message-queue'
import { toDatabaseError } from '@mono/worker-runtime'
import type { Database } from './database.js'
import { type Month, toFirstInstant, toPartitionName } from './month.js'

/** So much is moved out of the default partition at most, while whoever needs it waits. */
const maxMovedEvents = 10_000
const maxMovedBytes = 64 * 1024 * 1024

/**
 * Makes the partition of a month that has none, with the events of it that the default partition has taken.
 *
 * @returns why the month cannot have its partition now
 * @throws DeferError if the default partition is locked, or the database is not available
 */
export async function makePartition(database: Database, month: Month): Promise<Obstacle | undefined> {
  try {
    await tryTwice(() => database.query(makeStatement(month)))
    return undefined
  } catch (error) {
    const reason = reasons[codeOf(error)]
    if (reason === undefined) throw toPartitionError(error)
    return { reason, error }
  }
}

export interface Obstacle {
  reason: string
  error: unknown
}

/** SQLSTATEs of our own. */
const tooMuch = 'MA001'
const inUse = 'MA002'

const reasons: Record<string, string> = {
  [tooMuch]: 'the default partition holds more of it than is moved at once',
  [inUse]: 'what the default partition holds of it cannot be moved while others use the table',
  '42P07': 'a table of that name exists and is not attached',
  '42P17': 'another partition covers a part of it',
  '23514': 'the default partition takes events of it all the time',
  '57014': 'it took too long to look through the default partition',
}

/** The default partition may take the first event of the month just before the partition is attached: then it is moved. */
async function tryTwice(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (codeOf(error) !== '23514') throw error
    await work()
  }
}

/**
 * One statement, so one transaction: under the advisory lock only one of any number of workers makes the partition, the
 * others find it. `CREATE TABLE … PARTITION OF` would wait for every open insert; attaching waits only for those who use
 * the default partition, because it must look there for rows of the month. They get five seconds.
 *
 * Moving has to keep all out of the whole: a query that had only the default partition left to wait for would go on
 * without the rows, as it has looked up the partitions before. Everybody waits behind us meanwhile, so those who are
 * there get one second.
 */
function makeStatement(month: Month): string {
  const name = `audit.${toPartitionName(month)}`
  const first = `'${toFirstInstant(month)}'`
  const next = `'${toFirstInstant(month + 1)}'`
  const ofMonth = `occurred_at >= ${first} AND occurred_at < ${next}`
  return `
    DO $$
    DECLARE
      events bigint;
      bytes bigint;
    BEGIN
      PERFORM set_config('lock_timeout', '5s', true);
      PERFORM pg_advisory_xact_lock(hashtext('audit.events'), 0);
      IF EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'audit.events'::regclass AND inhrelid = to_regclass('${name}')
      ) THEN
        RETURN;
      END IF;
      CREATE TABLE ${name} (LIKE audit.events INCLUDING ALL);
      -- Before anybody is made to wait.
      SELECT count(*), coalesce(sum(pg_column_size(changes)), 0) INTO events, bytes
      FROM audit.events_default WHERE ${ofMonth};
      IF events > ${maxMovedEvents} OR bytes > ${maxMovedBytes} THEN
        RAISE EXCEPTION 'The default partition holds % events of ${toPartitionName(month)} with % bytes', events, bytes
          USING ERRCODE = '${tooMuch}';
      END IF;
      IF events > 0 THEN
        PERFORM set_config('lock_timeout', '1s', true);
        BEGIN
          LOCK TABLE ONLY audit.events, audit.events_default IN ACCESS EXCLUSIVE MODE;
        EXCEPTION WHEN lock_not_available THEN
          RAISE EXCEPTION 'No lock on audit.events within a second' USING ERRCODE = '${inUse}';
        END;
        WITH moved AS (DELETE FROM audit.events_default WHERE ${ofMonth} RETURNING *)
        INSERT INTO ${name} SELECT * FROM moved;
      END IF;
      ALTER TABLE audit.events ATTACH PARTITION ${name} FOR VALUES FROM (${first}) TO (${next});
    END
    $$`
}

function toPartitionError(error: unknown): Error {
  if (codeOf(error) !== '55P03') return toDatabaseError(error)
  return new DeferError('The default partition is locked, so the partition for an event could not be made', {
    code: 'DATABASE_UNAVAILABLE',
    cause: error,
  })
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code)
}
