CREATE TABLE chat.trials (
  message  text        NOT NULL PRIMARY KEY,
  tries    integer     NOT NULL,
  begun_by text        NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE chat.trials IS
  'Messages that are being tried alone, because a process may have ended over them; a row is deleted when its process has survived the try';
COMMENT ON COLUMN chat.trials.message IS 'SHA-256 of exchange, routing key, message id and body';
COMMENT ON COLUMN chat.trials.tries IS 'How many processes have begun one and not ended it';
