CREATE SCHEMA audit;
CREATE TABLE audit.events (
    tenant_id bigint NOT NULL,
    event_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    event_type text NOT NULL,
    user_id text NOT NULL,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    changes jsonb NOT NULL,
    routing_key text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY RANGE (occurred_at);
CREATE TABLE audit.events_2026_11 (
    tenant_id bigint NOT NULL,
    event_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    event_type text NOT NULL,
    user_id text NOT NULL,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    changes jsonb NOT NULL,
    routing_key text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE audit.events_2026_12 (
    tenant_id bigint NOT NULL,
    event_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    event_type text NOT NULL,
    user_id text NOT NULL,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    changes jsonb NOT NULL,
    routing_key text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE audit.events_default (
    tenant_id bigint NOT NULL,
    event_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    event_type text NOT NULL,
    user_id text NOT NULL,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    changes jsonb NOT NULL,
    routing_key text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE audit.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE audit.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE audit.migrations_id_seq OWNED BY audit.migrations.id;
ALTER TABLE ONLY audit.events ATTACH PARTITION audit.events_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE ONLY audit.events ATTACH PARTITION audit.events_2026_12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
ALTER TABLE ONLY audit.events ATTACH PARTITION audit.events_default DEFAULT;
ALTER TABLE ONLY audit.migrations ALTER COLUMN id SET DEFAULT nextval('audit.migrations_id_seq'::regclass);
INSERT INTO audit.events_2026_11 VALUES (42, 'audit-0', '2026-11-29 18:25:39.29+00', 'invoice.approved', 'user-0', 'invoice', 'entity-0', '{"index": 0, "status": {"to": "approved", "from": "open"}}', 'audit.track', '2026-11-29 18:25:43.679095+00');
INSERT INTO audit.events_2026_11 VALUES (42, 'audit-1', '2026-11-29 18:25:39.291+00', 'invoice.approved', 'user-1', 'invoice', 'entity-1', '{"index": 1, "status": {"to": "approved", "from": "open"}}', 'audit.track', '2026-11-29 18:25:43.898664+00');
INSERT INTO audit.events_2026_11 VALUES (42, 'audit-2', '2026-11-29 18:25:39.292+00', 'invoice.approved', 'user-2', 'invoice', 'entity-2', '{"index": 2, "status": {"to": "approved", "from": "open"}}', 'audit.track', '2026-11-29 18:25:43.898664+00');
INSERT INTO audit.events_2026_11 VALUES (42, 'audit-3', '2026-11-29 18:25:39.293+00', 'invoice.approved', 'user-3', 'invoice', 'entity-3', '{"index": 3, "status": {"to": "approved", "from": "open"}}', 'audit.track', '2026-11-29 18:25:43.898664+00');
INSERT INTO audit.events_2026_11 VALUES (42, 'audit-4', '2026-11-29 18:25:39.294+00', 'invoice.approved', 'user-4', 'invoice', 'entity-4', '{"index": 4, "status": {"to": "approved", "from": "open"}}', 'audit.track', '2026-11-29 18:25:43.898664+00');
INSERT INTO audit.migrations VALUES (1, '0001_create-events', '2026-11-29 18:25:41.854207');
SELECT pg_catalog.setval('audit.migrations_id_seq', 1, true);
ALTER TABLE ONLY audit.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);
ALTER TABLE ONLY audit.events_2026_11
    ADD CONSTRAINT events_2026_11_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);
ALTER TABLE ONLY audit.events_2026_12
    ADD CONSTRAINT events_2026_12_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);
ALTER TABLE ONLY audit.events_default
    ADD CONSTRAINT events_default_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);
ALTER TABLE ONLY audit.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
CREATE INDEX events_entity_idx ON ONLY audit.events USING btree (tenant_id, entity_type, entity_id, occurred_at DESC);
CREATE INDEX events_2026_11_tenant_id_entity_type_entity_id_occurred_at_idx ON audit.events_2026_11 USING btree (tenant_id, entity_type, entity_id, occurred_at DESC);
CREATE INDEX events_tenant_idx ON ONLY audit.events USING btree (tenant_id, occurred_at DESC);
CREATE INDEX events_2026_11_tenant_id_occurred_at_idx ON audit.events_2026_11 USING btree (tenant_id, occurred_at DESC);
CREATE INDEX events_2026_12_tenant_id_entity_type_entity_id_occurred_at_idx ON audit.events_2026_12 USING btree (tenant_id, entity_type, entity_id, occurred_at DESC);
CREATE INDEX events_2026_12_tenant_id_occurred_at_idx ON audit.events_2026_12 USING btree (tenant_id, occurred_at DESC);
CREATE INDEX events_default_tenant_id_entity_type_entity_id_occurred_at_idx ON audit.events_default USING btree (tenant_id, entity_type, entity_id, occurred_at DESC);
CREATE INDEX events_default_tenant_id_occurred_at_idx ON audit.events_default USING btree (tenant_id, occurred_at DESC);
ALTER INDEX audit.events_pkey ATTACH PARTITION audit.events_2026_11_pkey;
ALTER INDEX audit.events_entity_idx ATTACH PARTITION audit.events_2026_11_tenant_id_entity_type_entity_id_occurred_at_idx;
ALTER INDEX audit.events_tenant_idx ATTACH PARTITION audit.events_2026_11_tenant_id_occurred_at_idx;
ALTER INDEX audit.events_pkey ATTACH PARTITION audit.events_2026_12_pkey;
ALTER INDEX audit.events_entity_idx ATTACH PARTITION audit.events_2026_12_tenant_id_entity_type_entity_id_occurred_at_idx;
ALTER INDEX audit.events_tenant_idx ATTACH PARTITION audit.events_2026_12_tenant_id_occurred_at_idx;
ALTER INDEX audit.events_pkey ATTACH PARTITION audit.events_default_pkey;
ALTER INDEX audit.events_entity_idx ATTACH PARTITION audit.events_default_tenant_id_entity_type_entity_id_occurred_at_idx;
ALTER INDEX audit.events_tenant_idx ATTACH PARTITION audit.events_default_tenant_id_occurred_at_idx;
