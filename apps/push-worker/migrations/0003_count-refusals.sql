ALTER TABLE push.devices ADD COLUMN refusals integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN push.devices.refusals IS
  'Notifications in a row that the push service refused for this device (401, 403) while it took those of others';
