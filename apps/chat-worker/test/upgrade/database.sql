CREATE SCHEMA chat;
CREATE TABLE chat.conversations (
    tenant_id bigint NOT NULL,
    conversation_id text NOT NULL,
    last_sequence bigint DEFAULT 0 NOT NULL
);
CREATE TABLE chat.messages (
    tenant_id bigint NOT NULL,
    message_id text NOT NULL,
    conversation_id text NOT NULL,
    sequence bigint NOT NULL,
    sender_id text NOT NULL,
    content text NOT NULL,
    message_type text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE chat.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE chat.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE chat.migrations_id_seq OWNED BY chat.migrations.id;
ALTER TABLE ONLY chat.migrations ALTER COLUMN id SET DEFAULT nextval('chat.migrations_id_seq'::regclass);
INSERT INTO chat.conversations VALUES (42, 'room.0', 1);
INSERT INTO chat.conversations VALUES (42, 'room.4', 1);
INSERT INTO chat.conversations VALUES (42, 'room.3', 1);
INSERT INTO chat.conversations VALUES (42, 'room.1', 1);
INSERT INTO chat.conversations VALUES (42, 'room.2', 1);
INSERT INTO chat.messages VALUES (42, 'chat-0', 'room.0', 1, 'user-0', 'number 0', 'text', '2026-11-29 18:25:28.133+00', '2026-11-29 18:25:34.146267+00');
INSERT INTO chat.messages VALUES (42, 'chat-4', 'room.4', 1, 'user-4', 'number 4', 'text', '2026-11-29 18:25:28.137+00', '2026-11-29 18:25:34.165747+00');
INSERT INTO chat.messages VALUES (42, 'chat-3', 'room.3', 1, 'user-3', 'number 3', 'text', '2026-11-29 18:25:28.136+00', '2026-11-29 18:25:34.167062+00');
INSERT INTO chat.messages VALUES (42, 'chat-1', 'room.1', 1, 'user-1', 'number 1', 'text', '2026-11-29 18:25:28.134+00', '2026-11-29 18:25:34.177174+00');
INSERT INTO chat.messages VALUES (42, 'chat-2', 'room.2', 1, 'user-2', 'number 2', 'text', '2026-11-29 18:25:28.135+00', '2026-11-29 18:25:34.186329+00');
INSERT INTO chat.migrations VALUES (1, '0001_create-messages', '2026-11-29 18:25:30.919197');
SELECT pg_catalog.setval('chat.migrations_id_seq', 1, true);
ALTER TABLE ONLY chat.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (tenant_id, conversation_id);
ALTER TABLE ONLY chat.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (tenant_id, message_id);
ALTER TABLE ONLY chat.messages
    ADD CONSTRAINT messages_tenant_id_conversation_id_sequence_key UNIQUE (tenant_id, conversation_id, sequence);
ALTER TABLE ONLY chat.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
