ALTER TABLE push.devices ADD COLUMN address_kind text NOT NULL DEFAULT 'token' CHECK (address_kind IN ('token', 'fid'));
ALTER TABLE push.devices
  ADD COLUMN environment text NOT NULL DEFAULT 'production' CHECK (environment IN ('production', 'sandbox'));
-- Rows from before have none: a default of the same statement would say that all were registered at this moment.
ALTER TABLE push.devices ADD COLUMN registered_at timestamptz;
ALTER TABLE push.devices ALTER COLUMN registered_at SET DEFAULT now();

COMMENT ON COLUMN push.devices.address IS
  'The endpoint of a web subscription; the token or the installation id of an app at FCM; the token of an app at APNs, hex';
COMMENT ON COLUMN push.devices.address_kind IS 'Of fcm devices: whether the address is a token or a Firebase installation id';
COMMENT ON COLUMN push.devices.environment IS 'Of apns devices: which of Apple''s two servers knows the token';
COMMENT ON COLUMN push.devices.registered_at IS
  'When the application registered the device last: APNs tells since when a token is dead. Null: when the row was made';
