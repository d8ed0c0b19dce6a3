CREATE TABLE chat.conversations (
  tenant_id       bigint NOT NULL,
  conversation_id text   NOT NULL,
  last_sequence   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, conversation_id)
);

COMMENT ON TABLE chat.conversations IS
  'One row per conversation; it is locked while a message is stored, so that sequence is the order of commits';

CREATE TABLE chat.messages (
  tenant_id       bigint      NOT NULL,
  message_id      text        NOT NULL,
  conversation_id text        NOT NULL,
  sequence        bigint      NOT NULL,
  sender_id       text        NOT NULL,
  content         text        NOT NULL,
  message_type    text        NOT NULL,
  sent_at         timestamptz NOT NULL,
  stored_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, message_id),
  UNIQUE (tenant_id, conversation_id, sequence)
);

COMMENT ON COLUMN chat.messages.sequence IS 'Place in the conversation: 1, 2, 3 … without gaps';
COMMENT ON COLUMN chat.messages.sent_at IS 'When it was written, by the sender''s clock';
