CREATE TABLE audit.events (
  tenant_id   bigint      NOT NULL,
  event_id    text        NOT NULL,
  occurred_at timestamptz NOT NULL,
  event_type  text        NOT NULL,
  user_id     text        NOT NULL,
  entity_type text        NOT NULL,
  entity_id   text        NOT NULL,
  changes     jsonb       NOT NULL,
  routing_key text        NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);

COMMENT ON TABLE audit.events IS
  'One row per audit event, partitioned by month of occurred_at in UTC; the worker makes the partitions';
COMMENT ON COLUMN audit.events.event_id IS 'The id of the message that brought the event';
COMMENT ON COLUMN audit.events.occurred_at IS 'When it happened, by the publisher''s clock';
COMMENT ON COLUMN audit.events.routing_key IS 'audit.compliance marks events that must be kept and proven';

-- Takes what lies outside ten years back and one month ahead.
CREATE TABLE audit.events_default PARTITION OF audit.events DEFAULT;

-- The history of one thing, newest first.
CREATE INDEX events_entity_idx ON audit.events (tenant_id, entity_type, entity_id, occurred_at DESC);

-- What happened in a tenant, newest first.
CREATE INDEX events_tenant_idx ON audit.events (tenant_id, occurred_at DESC);
