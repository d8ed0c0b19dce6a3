-- These functions count what became of a message on its way to devices and mailboxes, for an application, which sees no
-- ledger. None tells an address, nor anything of a tenant that is not asked for. This file runs when push-worker and
-- email-worker have migrated, and may run again. Each function belongs to its schema's owner, uses that role's rights and
-- goes with the schema.

CREATE OR REPLACE FUNCTION push.count_outcomes(tenant bigint, message text)
RETURNS TABLE (outcome text, reason text, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT state, why, count(*)
  FROM push.deliveries
  -- What was sent in the end may still have the code of a trial before.
  CROSS JOIN LATERAL (SELECT CASE WHEN state IN ('failed', 'retry', 'unknown') THEN last_code END AS why) AS told
  WHERE tenant_id = tenant AND message_id = message
  GROUP BY state, why ORDER BY state, why
$$;

CREATE OR REPLACE FUNCTION email.count_outcomes(tenant bigint, message text)
RETURNS TABLE (outcome text, reason text, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT state, why, count(*)
  FROM email.deliveries
  CROSS JOIN LATERAL (SELECT CASE WHEN state IN ('failed', 'retry', 'unknown') THEN last_code END AS why) AS told
  WHERE tenant_id = tenant AND message_id = message
  GROUP BY state, why ORDER BY state, why
$$;

COMMENT ON FUNCTION push.count_outcomes(bigint, text) IS
  'Tells of one message of one tenant how many devices are in which state of push.deliveries, and the code that says why';
COMMENT ON FUNCTION email.count_outcomes(bigint, text) IS
  'Tells of one message of one tenant how many recipients are in which state of email.deliveries, and the code that says why';

REVOKE ALL ON FUNCTION push.count_outcomes(bigint, text), email.count_outcomes(bigint, text) FROM PUBLIC;

DO $$
DECLARE
  its record;
BEGIN
  FOR its IN
    SELECT p.oid::regprocedure AS function, pg_get_userbyid(n.nspowner) AS owner
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.proname = 'count_outcomes' AND n.nspname IN ('push', 'email')
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO %I', its.function, its.owner);
  END LOOP;
END
$$;
