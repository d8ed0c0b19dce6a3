import { type Month, toFirstInstant, toPartitionName } from './month.js'

/**
 * Drops the partition of a month, or, where it holds compliance events, puts one in its place that holds nothing else. One
 * transaction: a query sees the one or the other.
 *
 * While the month is looked through, only those wait who insert events into it. The lock on the whole comes after that, and
 * is given up after a second; so is this when an insert waits, as both would wait for each other. `DETACH … CONCURRENTLY`
 * is refused beside a default partition.
 */
export function dropStatement(month: Month): string {
  const name = toPartitionName(month)
  const kept = `${name}_kept`
  return `
    DO $$
    BEGIN
      PERFORM set_config('lock_timeout', '1s', true);
      LOCK TABLE audit.${name} IN SHARE MODE;
      CREATE TABLE audit.${kept} (LIKE audit.events INCLUDING ALL);
      INSERT INTO audit.${kept} SELECT * FROM audit.${name} WHERE routing_key = 'audit.compliance';
      -- Who makes a partition needs the same tables.
      PERFORM pg_advisory_xact_lock(hashtext('audit.events'), 0);
      LOCK TABLE ONLY audit.events, audit.events_default, audit.${name} IN ACCESS EXCLUSIVE MODE;
      ALTER TABLE audit.events DETACH PARTITION audit.${name};
      DROP TABLE audit.${name};
      IF EXISTS (SELECT FROM audit.${kept}) THEN
        ALTER TABLE audit.${kept} RENAME TO ${name};
        ALTER TABLE audit.events ATTACH PARTITION audit.${name}
          FOR VALUES FROM ('${toFirstInstant(month)}') TO ('${toFirstInstant(month + 1)}');
      ELSE
        DROP TABLE audit.${kept};
      END IF;
    END
    $$`
}
