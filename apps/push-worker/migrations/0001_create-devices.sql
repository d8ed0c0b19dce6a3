CREATE TABLE push.devices (
  id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id       bigint      NOT NULL,
  user_id         text        NOT NULL,
  channel         text        NOT NULL CHECK (channel IN ('web', 'fcm', 'apns')),
  address         text        NOT NULL CHECK (octet_length(address) BETWEEN 1 AND 2048),
  p256dh          text,
  auth            text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  disabled_at     timestamptz,
  disabled_reason text,
  UNIQUE (tenant_id, channel, address)
);

COMMENT ON TABLE push.devices IS
  'One row per device of a user; the application inserts and deletes, the worker disables what cannot be reached';
COMMENT ON COLUMN push.devices.address IS 'The endpoint of a web subscription, the token of an app';
COMMENT ON COLUMN push.devices.p256dh IS 'Of web devices: the subscription''s public key, base64url';
COMMENT ON COLUMN push.devices.auth IS 'Of web devices: the subscription''s secret, base64url';

CREATE INDEX devices_enabled_idx ON push.devices (tenant_id, user_id) WHERE disabled_at IS NULL;

CREATE TABLE push.deliveries (
  tenant_id      bigint      NOT NULL,
  message_id     text        NOT NULL,
  device_id      bigint      NOT NULL,
  state          text        NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'retry', 'unknown')),
  previous_state text,
  attempts       integer     NOT NULL,
  lease_until    timestamptz,
  provider_id    text,
  last_code      text,
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, message_id, device_id)
);

COMMENT ON TABLE push.deliveries IS
  'What became of each message on each device; whoever sends holds a lease, and attempts is its fencing token';
COMMENT ON COLUMN push.deliveries.device_id IS 'No foreign key: the application deletes devices when it likes';
COMMENT ON COLUMN push.deliveries.provider_id IS 'The push service''s own name for it, if it gave one';
