ALTER TABLE push.deliveries ADD COLUMN last_reason text;

COMMENT ON COLUMN push.deliveries.last_reason IS
  'What goes with last_code, for people: the first line of the answer, without addresses, URLs and tokens. Null: nothing was said';
