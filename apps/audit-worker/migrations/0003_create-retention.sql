-- Who drops old months: one row, whose holder renews it.
CREATE TABLE audit.retention (
  id           integer     PRIMARY KEY CHECK (id = 1),
  holder       text        NOT NULL,
  lease_until  timestamptz NOT NULL,
  swept_before timestamptz NOT NULL
);

COMMENT ON TABLE audit.retention IS 'One row: the worker that drops months older than AUDIT_RETENTION_MONTHS';
COMMENT ON COLUMN audit.retention.swept_before IS 'Identities of events before it that are not there any more were deleted';

INSERT INTO audit.retention VALUES (1, 'nobody', '-infinity', '-infinity');
