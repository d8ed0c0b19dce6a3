ALTER TABLE email.deliveries ADD COLUMN last_reason text;

COMMENT ON COLUMN email.deliveries.last_reason IS
  'What goes with last_code, for people: the first line of the answer, without addresses, URLs and tokens. Null: nothing was said';
