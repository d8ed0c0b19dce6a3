CREATE SCHEMA email;
CREATE TABLE email.deliveries (
    tenant_id bigint NOT NULL,
    message_id text NOT NULL,
    recipient text NOT NULL,
    state text NOT NULL,
    previous_state text,
    attempts integer DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    provider_id text,
    last_code text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['sending'::text, 'sent'::text, 'failed'::text, 'retry'::text, 'unknown'::text])))
);
CREATE TABLE email.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE email.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE email.migrations_id_seq OWNED BY email.migrations.id;
CREATE TABLE email.suppressions (
    tenant_id bigint NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT suppressions_address_check CHECK ((address = lower(address)))
);
ALTER TABLE ONLY email.migrations ALTER COLUMN id SET DEFAULT nextval('email.migrations_id_seq'::regclass);
INSERT INTO email.deliveries VALUES (42, 'email-0', 'recipient-0@example.com', 'sent', NULL, 1, NULL, '<3f20134f4922e02bfeb8445e58e4a88eba5b023035de85f8356bfe7e3269554c@example.com>', NULL, '2026-11-29 18:25:50.765227+00');
INSERT INTO email.deliveries VALUES (42, 'email-1', 'recipient-1@example.com', 'sent', NULL, 1, NULL, '<298f4eae1eef14dbb7ce663ca8c0360735e25071f33f8c135d730977b2f69d71@example.com>', NULL, '2026-11-29 18:25:50.863811+00');
INSERT INTO email.deliveries VALUES (42, 'email-2', 'recipient-2@example.com', 'sent', NULL, 1, NULL, '<76d35495f9a213a8e41f376804a1b49c853b325bbd2d0b5cb406a9d984c06aea@example.com>', NULL, '2026-11-29 18:25:50.872845+00');
INSERT INTO email.deliveries VALUES (42, 'email-3', 'recipient-3@example.com', 'sent', NULL, 1, NULL, '<8cc4759bc3964d5aae7d6c5e5a2c6b6ebc4e7c4d6a7f5297c5997a0bb9624a3a@example.com>', NULL, '2026-11-29 18:25:50.872845+00');
INSERT INTO email.deliveries VALUES (42, 'email-4', 'recipient-4@example.com', 'sent', NULL, 1, NULL, '<ca2e158290d91ae391a1d5d5d1cc1966abc762624b4d27e2f6cd6b906c642d6f@example.com>', NULL, '2026-11-29 18:25:50.872845+00');
INSERT INTO email.migrations VALUES (1, '0001_create-deliveries-and-suppressions', '2026-11-29 18:25:48.320446');
SELECT pg_catalog.setval('email.migrations_id_seq', 1, true);
ALTER TABLE ONLY email.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (tenant_id, message_id, recipient);
ALTER TABLE ONLY email.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY email.suppressions
    ADD CONSTRAINT suppressions_pkey PRIMARY KEY (tenant_id, address);
CREATE INDEX deliveries_unknown_idx ON email.deliveries USING btree (tenant_id, updated_at) WHERE (state = 'unknown'::text);
