ALTER TABLE email.deliveries ADD COLUMN provider text;

COMMENT ON COLUMN email.deliveries.provider IS
  'Who took the mail, refused it for good, or may have taken it (smtp, mailgun). Null: nobody has it, or the row is older than this column';
COMMENT ON COLUMN email.deliveries.provider_id IS 'By what the provider knows the mail, else its Message-ID';

-- A worker of before sees a column more, and does not look at it.
DROP FUNCTION email.claim_deliveries(
  bigint[], text[], bytea[], boolean[], integer[], text[], double precision, timestamptz
);

-- Claims recipients for several messages. A function, because each of its statements sees what was committed before that
-- statement, and all of it is one round trip: two processes that have one message id with different contents must not
-- both find nothing there, so whoever claims first locks the id until the claim is committed.
CREATE FUNCTION email.claim_deliveries(
  tenants     bigint[],           -- of each message
  messages    text[],
  digests     bytea[],
  starts_anew boolean[],          -- what was finished a day ago belongs to another message
  owners      integer[],          -- of each row: the number of its message, from 1
  recipients  text[],
  lease_ms    double precision,
  replayed_at timestamptz
)
-- A row with a conflict stands for a message of which nobody is claimed: it has the digest that is there.
RETURNS TABLE (
  tenant text, message text, recipient text, attempts integer, ambiguous boolean, reuses integer, conflict bytea, provider text
)
LANGUAGE plpgsql
-- Its plans are kept, and must not be those of a table that was small when they were made.
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  refused integer[];
BEGIN
  PERFORM pg_advisory_xact_lock(lock.key)
  FROM (
    SELECT DISTINCT hashtextextended('email.deliveries ' || m.tenant_id || ' ' || m.message_id, 0) AS key
    FROM unnest(tenants, messages) AS m(tenant_id, message_id)
    ORDER BY key
  ) AS lock;

  refused := ARRAY(
    SELECT m.n::integer
    FROM unnest(tenants, messages, digests) WITH ORDINALITY AS m(tenant_id, message_id, digest, n)
    CROSS JOIN LATERAL (
      SELECT d.digest FROM email.deliveries AS d
      WHERE d.tenant_id = m.tenant_id AND d.message_id = m.message_id AND d.digest IS NOT NULL
      LIMIT 1
    ) AS present
    WHERE substring(present.digest FOR 16) <> substring(m.digest FOR 16)
  );

  IF cardinality(refused) > 0 THEN
    RETURN QUERY
    SELECT m.tenant_id::text, m.message_id, NULL, NULL::integer, NULL::boolean, NULL::integer, (
      SELECT d.digest FROM email.deliveries AS d
      WHERE d.tenant_id = m.tenant_id AND d.message_id = m.message_id AND d.digest IS NOT NULL
      LIMIT 1
    ), NULL
    FROM unnest(tenants, messages) WITH ORDINALITY AS m(tenant_id, message_id, n)
    WHERE m.n = ANY (refused);
  END IF;

  IF true = ANY (starts_anew) THEN
    UPDATE email.deliveries AS d
    SET state = 'retry', previous_state = NULL, lease_until = NULL, updated_at = now(), reuses = coalesce(d.reuses, 0) + 1,
      provider = NULL, last_code = NULL, last_reason = NULL
    FROM unnest(owners, recipients) AS r(owner, recipient)
    WHERE starts_anew[r.owner] AND r.owner <> ALL (refused)
      AND d.tenant_id = tenants[r.owner] AND d.message_id = messages[r.owner] AND d.recipient = r.recipient
      AND d.updated_at < now() - interval '24 hours'
      AND (d.state IN ('sent', 'failed', 'unknown') OR (d.state = 'sending' AND d.lease_until < now()));
  END IF;

  RETURN QUERY
  INSERT INTO email.deliveries AS d (tenant_id, message_id, recipient, digest, state, attempts, lease_until, updated_at)
  SELECT DISTINCT ON (1, 2, 3)
    tenants[r.owner], messages[r.owner], r.recipient, digests[r.owner], 'sending', 1,
    now() + lease_ms * interval '1 millisecond', now()
  FROM unnest(owners, recipients) AS r(owner, recipient)
  WHERE r.owner <> ALL (refused)
  ORDER BY 1, 2, 3
  ON CONFLICT (tenant_id, message_id, recipient) DO UPDATE
  SET previous_state = d.state, state = 'sending', attempts = d.attempts + 1, lease_until = excluded.lease_until,
    digest = coalesce(excluded.digest, d.digest), updated_at = now(),
    provider = CASE
      -- A provider that has refused a mail has not got it.
      WHEN d.state = 'failed' THEN NULL
      WHEN d.provider IS NOT NULL THEN d.provider
      -- Before there was another provider nobody named one. Without a reason, these codes say that an answer was lost.
      WHEN d.last_reason LIKE 'The mail server had the whole mail%'
        OR (d.last_reason IS NULL AND d.last_code ~ '^(ECONNECTION|ETIMEDOUT|EABORT|ESOCKET(_ECONNRESET|_EPIPE|_ETIMEDOUT)?)$')
        THEN 'smtp'
    END
  WHERE d.state = 'retry'
    OR (d.state = 'sending' AND d.lease_until < now())
    OR (d.state IN ('failed', 'unknown') AND d.updated_at < replayed_at)
  RETURNING d.tenant_id::text, d.message_id, d.recipient::text, d.attempts,
    d.previous_state IS NOT DISTINCT FROM 'sending', coalesce(d.reuses, 0), NULL::bytea, d.provider;
END
$$;
