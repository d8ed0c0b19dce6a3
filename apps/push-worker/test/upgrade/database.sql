CREATE SCHEMA push;
CREATE TABLE push.deliveries (
    tenant_id bigint NOT NULL,
    message_id text NOT NULL,
    device_id bigint NOT NULL,
    state text NOT NULL,
    previous_state text,
    attempts integer NOT NULL,
    lease_until timestamp with time zone,
    provider_id text,
    last_code text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['sending'::text, 'sent'::text, 'failed'::text, 'retry'::text, 'unknown'::text])))
);
CREATE TABLE push.devices (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    user_id text NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    p256dh text,
    auth text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone,
    disabled_reason text,
    CONSTRAINT devices_address_check CHECK (((octet_length(address) >= 1) AND (octet_length(address) <= 2048))),
    CONSTRAINT devices_channel_check CHECK ((channel = ANY (ARRAY['web'::text, 'fcm'::text, 'apns'::text])))
);
ALTER TABLE push.devices ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME push.devices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE push.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE push.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE push.migrations_id_seq OWNED BY push.migrations.id;
ALTER TABLE ONLY push.migrations ALTER COLUMN id SET DEFAULT nextval('push.migrations_id_seq'::regclass);
INSERT INTO push.deliveries VALUES (42, 'push-0', 1, 'sent', NULL, 1, NULL, 'https://localhost:38957/message/1', NULL, '2026-11-29 18:25:59.775297+00');
INSERT INTO push.deliveries VALUES (42, 'push-1', 2, 'sent', NULL, 1, NULL, 'https://localhost:38957/message/2', NULL, '2026-11-29 18:25:59.775297+00');
INSERT INTO push.deliveries VALUES (42, 'push-4', 5, 'sent', NULL, 1, NULL, 'https://localhost:38957/message/3', NULL, '2026-11-29 18:25:59.775297+00');
INSERT INTO push.deliveries VALUES (42, 'push-2', 3, 'sent', NULL, 1, NULL, 'https://localhost:38957/message/5', NULL, '2026-11-29 18:25:59.79466+00');
INSERT INTO push.deliveries VALUES (42, 'push-3', 4, 'sent', NULL, 1, NULL, 'https://localhost:38957/message/4', NULL, '2026-11-29 18:25:59.79466+00');
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (1, 42, 'user-0', 'web', 'https://localhost:38957/push/b6127663-19d8-44d8-b6e2-5364a4c4d253', 'BPycTqlrMaA006-Fm0WfGllhAZzDQGAm1EfjD2v5Tk2tuMCHI1msiUqGqeb0RPavcWgd5b02ZnfyWX-VGFu5WPs', 'CgKT0-M6JOJdDy73DnIlZw', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (2, 42, 'user-1', 'web', 'https://localhost:38957/push/f042cc9c-4480-44f5-bde8-96cab3e9bbe5', 'BNQraSxXL2oJGLsn4rAjxIB3MrcBEKV5z9IS9-zoTUPDAP7zknVSNz2AStlU0yKa9Co9u5Y1-Xw9FiewoKmVbyg', '-H7N6yXCA4yyBXj0Dz4GLA', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (3, 42, 'user-2', 'web', 'https://localhost:38957/push/6c1cc7f0-4680-443f-a972-7f0d7db0017f', 'BOZ04dXioRiPmVQH1DsB3KZ6J_nl6qtCTNBeN4rb6pxZAd0yKrEaC4Nt51DVFGpT7v7bgImqWzhsS0ZdwvaDtPQ', 'n1Uz0-B27yxU2vGLVmRYxA', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (4, 42, 'user-3', 'web', 'https://localhost:38957/push/5c17c1e8-09f2-4110-8347-c75e7cd8be89', 'BHvcUoVATD9zx7wlJQMNbJUBBE9pLfHKafLttgMaTR1OlplNDTCIL-HeGQ5ZCdFHgkGFjRqBjdmCVc2KHcf3_VI', '4WIntlxM8s9tVudqnKQTew', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (5, 42, 'user-4', 'web', 'https://localhost:38957/push/d8f1dd1f-f508-442a-ab78-a88cbe492c23', 'BBuZIR7_3sTP7eACKJoaYUaxZPoj_mZN8sESnvJDC8Eg3rZPsbGY7znInlVOWZ9hp7jh54V0ujF6TqVMMnhtJ70', 'jmqzOHRzOi5L0GIe_Q3wyA', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (6, 42, 'user-5', 'web', 'https://localhost:38957/push/4776028a-aad6-441d-97bc-7f02850fda89', 'BDjHazXzKNM3aHdfNgTJ8mY_ToQqZryr1SLW0Mu8lsjdlRGuxf2Cn2qFdz2j8sRKDxM_iEMyGHAtKUHHOLlABJ4', 'hqNpIXuBByDGGTvg7y0JjQ', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (7, 42, 'user-6', 'web', 'https://localhost:38957/push/d470d1c3-f1a7-42c1-a2cb-29d89f7205ab', 'BIJ5bcwOl0HeqlP1lD9WZuqYnIOxu_pS9WqacU9986mTHAStypSa1jJ5ieElVSkKPXgWwcp3xnPnH6-7Xi0SfI4', 'Ny2paK8-P78hW5k5b8bnEg', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (8, 42, 'user-7', 'web', 'https://localhost:38957/push/65486479-6c20-4363-93cf-745db74dfebf', 'BL0Z_RdJD-1GIUoOVRoYI2_-S3ki9KawQ_uQRsWYspaAps7PzHTNJSPDDbQQer84X6kVoKMsRBF4DukegD9DWiQ', 'RTz6UjgB_cfsfqwug7Dwag', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (9, 42, 'user-8', 'web', 'https://localhost:38957/push/6b719a14-e730-40b3-84b6-b4efc51dc7f7', 'BPFR5ZpZHJY43nz9sBAPR34Y9KDco27X40uQzAHtmWLV9YdkNKpYjxlJa97CTj_rYaLqlacYwqwmKejZDfniMHY', 'b22VzMxPBZkxNLajdnyuDw', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (10, 42, 'user-9', 'web', 'https://localhost:38957/push/fbd75e03-294f-48f1-b3ef-1854f53bbee5', 'BClw7pZZs9AJm3wHMvqk5VJC3GT9AiHpuH7aysCgKu2UA1hoNfzhs_7kpHz8dRqQQRWDrxWvaW2HXZqfH-BKGx8', 'v0a96DTJmy3W57hAKMKeIg', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (11, 42, 'user-10', 'web', 'https://localhost:38957/push/39312e6a-eb01-420d-988b-98211bb4fc49', 'BB4Mq3bnD7-ousVGglnJQDhaMFZsO4RYd6j9lxBRVgJRMcUM6TtLs13lav2lLEzexHSpoGRPycqqUpmXkvhT76w', 'nOrkkplzilHqRpCNx5kccA', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.devices OVERRIDING SYSTEM VALUE VALUES (12, 42, 'user-11', 'web', 'https://localhost:38957/push/e4c37fa4-6568-4d7a-8e5f-ba2be1f1aeed', 'BCkMPhr-DgA5n_V8oGLFBvjofUBdu0OYesx8Zuwiy9WBurBn6nj6UBzJ-jo8uhWspK74G-Y8tdOpGWQ3S8paD0Q', 'Sjcnb7BIUb1AEdm4CIZ-kA', '2026-11-29 18:25:55.420936+00', NULL, NULL);
INSERT INTO push.migrations VALUES (1, '0001_create-devices', '2026-11-29 18:25:55.196554');
SELECT pg_catalog.setval('push.devices_id_seq', 12, true);
SELECT pg_catalog.setval('push.migrations_id_seq', 1, true);
ALTER TABLE ONLY push.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (tenant_id, message_id, device_id);
ALTER TABLE ONLY push.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY push.devices
    ADD CONSTRAINT devices_tenant_id_channel_address_key UNIQUE (tenant_id, channel, address);
ALTER TABLE ONLY push.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
CREATE INDEX devices_enabled_idx ON push.devices USING btree (tenant_id, user_id) WHERE (disabled_at IS NULL);
