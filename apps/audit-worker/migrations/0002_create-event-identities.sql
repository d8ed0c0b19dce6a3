CREATE TABLE audit.event_identities (
  tenant_id   bigint      NOT NULL,
  -- Compared byte by byte, which costs less than by the rules of a language.
  event_id    text        COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, event_id)
);

COMMENT ON TABLE audit.event_identities IS
  'One row per id of an event; a unique key of audit.events would have to contain the time';
COMMENT ON COLUMN audit.event_identities.occurred_at IS 'Of the event that is recorded under this id';

-- What of audit.events was there before has its identities made by migrate.js, one partition after the other. The last
-- step renames this table to event_identities_filled, which the worker waits for.
CREATE TABLE audit.event_identities_filling (
  partition  text        PRIMARY KEY,
  events     bigint      NOT NULL,
  identities bigint      NOT NULL,
  filled_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN audit.event_identities_filling.identities IS
  'Those that no partition before had; there are more events where an id was recorded with several times';

-- An audit-worker that knows nothing of identities does not name recorded_at when it inserts. It gets an error that it
-- takes for a database that is not available: it keeps its events in the queue, and loses none. Whoever inserts by hand
-- gets the time.
CREATE FUNCTION audit.refuse_without_identity() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('application_name') <> 'audit-worker' THEN
    RETURN now();
  END IF;
  RAISE EXCEPTION 'Events are inserted together with their identities, by a newer audit-worker'
    USING ERRCODE = 'insufficient_privilege', HINT = 'Stop this audit-worker, and start the version that has migrated';
END
$$;

-- Of the whole only, as inserts go by its defaults. Waits for inserts that are under way, and hides none from what follows.
ALTER TABLE ONLY audit.events ALTER COLUMN recorded_at SET DEFAULT audit.refuse_without_identity();
