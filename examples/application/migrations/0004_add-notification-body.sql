ALTER TABLE example.notifications ADD COLUMN body text;

COMMENT ON COLUMN example.notifications.body IS 'Null: not known, and any other is taken for the same';
