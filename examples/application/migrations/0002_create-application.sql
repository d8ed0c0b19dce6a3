CREATE TABLE example.users (
  tenant_id bigint NOT NULL,
  user_id   text   NOT NULL,
  name      text   NOT NULL,
  email     text   NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);

COMMENT ON COLUMN example.users.email IS 'In the normal form of addresses, as email.suppressions has them';

CREATE TABLE example.sessions (
  token_hash bytea       PRIMARY KEY,
  csrf_token text        NOT NULL,
  tenant_id  bigint      NOT NULL,
  user_id    text        NOT NULL,
  expires_at timestamptz NOT NULL,
  FOREIGN KEY (tenant_id, user_id) REFERENCES example.users ON DELETE CASCADE
);

COMMENT ON COLUMN example.sessions.token_hash IS 'SHA-256 of what the cookie holds: whoever reads this table has no session';

CREATE INDEX sessions_expiry_idx ON example.sessions (expires_at);

CREATE TABLE example.conversations (
  tenant_id       bigint NOT NULL,
  conversation_id text   NOT NULL,
  title           text   NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id)
);

CREATE TABLE example.members (
  tenant_id       bigint NOT NULL,
  conversation_id text   NOT NULL,
  user_id         text   NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, user_id),
  FOREIGN KEY (tenant_id, conversation_id) REFERENCES example.conversations,
  FOREIGN KEY (tenant_id, user_id) REFERENCES example.users
);

CREATE TABLE example.messages (
  tenant_id       bigint      NOT NULL,
  message_id      text        NOT NULL,
  conversation_id text        NOT NULL,
  sender_id       text        NOT NULL,
  content         text        NOT NULL,
  message_type    text        NOT NULL,
  sent_at         timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, message_id),
  FOREIGN KEY (tenant_id, conversation_id, sender_id) REFERENCES example.members
);

COMMENT ON TABLE example.messages IS
  'What the application has accepted; chat.messages says what of it is stored, with its place in the conversation';

CREATE INDEX messages_conversation_idx ON example.messages (tenant_id, conversation_id, sent_at);

CREATE TABLE example.notifications (
  tenant_id        bigint      NOT NULL,
  notification_id  text        NOT NULL,
  sent_by          text        NOT NULL,
  title            text        NOT NULL,
  recipients       text[]      NOT NULL,
  push_message_id  text        NOT NULL,
  email_message_id text,
  created_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, notification_id)
);

COMMENT ON COLUMN example.notifications.email_message_id IS 'Null: no mail was asked for';
