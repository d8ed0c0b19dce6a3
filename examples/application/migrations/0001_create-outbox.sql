CREATE TABLE example.outbox (
  position      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id     bigint      NOT NULL,
  message_id    text        NOT NULL,
  type          text        NOT NULL,
  order_key     text        NOT NULL,
  lane          text        NOT NULL,
  body          text        NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  failed_at     timestamptz,
  failed_code   text,
  failed_reason text,
  UNIQUE (tenant_id, type, message_id)
);

COMMENT ON TABLE example.outbox IS
  'Messages that are committed and not yet sent; a row is deleted when the broker has confirmed its message';
COMMENT ON COLUMN example.outbox.position IS
  'Within a tenant''s order key in the order of commits, because example.enqueue locks the key first; between keys it says nothing';
COMMENT ON COLUMN example.outbox.message_id IS 'Under this id the message is sent, as often as it takes';
COMMENT ON COLUMN example.outbox.order_key IS 'Messages of one tenant, type and key are sent in the order of their commits';
COMMENT ON COLUMN example.outbox.lane IS 'The type and a part of its keys: what one relay sends at a time';
COMMENT ON COLUMN example.outbox.failed_at IS
  'Since when it is passed over, because it can never be sent as it is. Null again: it is tried again';

CREATE INDEX outbox_waiting_idx ON example.outbox (lane, position) WHERE failed_at IS NULL;
CREATE INDEX outbox_failed_idx ON example.outbox (failed_at) WHERE failed_at IS NOT NULL;

-- A busy outbox is a table whose rows live for milliseconds.
ALTER TABLE example.outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE example.outbox_lanes (
  lane       text   PRIMARY KEY,
  holder     text,
  token      bigint NOT NULL DEFAULT 0,
  held_until timestamptz
);

COMMENT ON TABLE example.outbox_lanes IS 'Which relay sends what, one relay a lane';
COMMENT ON COLUMN example.outbox_lanes.token IS 'Grows with each claim, so that a relay that was frozen sees that the lane is another''s';
COMMENT ON COLUMN example.outbox_lanes.held_until IS
  'By the database''s clock. With a holder: its lease. Without: nobody tries before then. Null: free';

-- The key is locked until the end of the transaction, and the row gets its position after that. So whoever reads the rows
-- of a key sees, at any time, the first so many of them: one that commits late has the higher position. A sequence alone
-- gives no such thing, because a transaction that took its number first may commit last.
CREATE FUNCTION example.enqueue(tenant bigint, message text, message_type text, key text, message_body text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  -- A hash that no release of PostgreSQL changes: a key must stay in its lane.
  share     integer := ('x' || substr(md5(tenant || ' ' || key), 1, 7))::bit(28)::integer % 4;
  its_lane  text := message_type || '/' || share;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('example.outbox ' || message_type || ' ' || tenant || ' ' || key, 0));
  IF NOT EXISTS (SELECT FROM example.outbox_lanes WHERE lane = its_lane) THEN
    INSERT INTO example.outbox_lanes (lane) VALUES (its_lane) ON CONFLICT DO NOTHING;
  END IF;
  INSERT INTO example.outbox (tenant_id, message_id, type, order_key, lane, body)
  VALUES (tenant, message, message_type, key, its_lane, message_body)
  -- It waits already, and is sent under its id.
  ON CONFLICT (tenant_id, type, message_id) DO NOTHING;
  PERFORM pg_notify('example_outbox', '');
END
$$;
