CREATE TABLE email.deliveries (
  tenant_id      bigint      NOT NULL,
  message_id     text        NOT NULL,
  recipient      text        NOT NULL,
  state          text        NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'retry', 'unknown')),
  previous_state text,
  attempts       int         NOT NULL DEFAULT 0,
  lease_until    timestamptz,
  provider_id    text,
  last_code      text,
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, message_id, recipient)
);

COMMENT ON TABLE email.deliveries IS
  'One row per mail and recipient; a message that comes again is sent only to those who have not been served';
COMMENT ON COLUMN email.deliveries.recipient IS 'The address in lower case';
COMMENT ON COLUMN email.deliveries.state IS
  'sending: claimed until lease_until; sent, failed, unknown: final; retry: to be tried when the message comes again';
COMMENT ON COLUMN email.deliveries.attempts IS 'Claims so far; whoever records must know the number of its own claim';
COMMENT ON COLUMN email.deliveries.provider_id IS 'By what the mail server knows the mail, else its Message-ID';
COMMENT ON COLUMN email.deliveries.last_code IS 'Why it is failed, retry or unknown';

-- What an operator looks for: mails of which nobody knows whether they arrived.
CREATE INDEX deliveries_unknown_idx ON email.deliveries (tenant_id, updated_at) WHERE state = 'unknown';

CREATE TABLE email.suppressions (
  tenant_id  bigint      NOT NULL,
  address    text        NOT NULL CHECK (address = lower(address)),
  reason     text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, address)
);

COMMENT ON TABLE email.suppressions IS
  'Addresses to which nothing of the tenant is sent; the application inserts and deletes';
COMMENT ON COLUMN email.suppressions.address IS 'In lower case';
COMMENT ON COLUMN email.suppressions.reason IS 'For people: bounced, complained, unsubscribed …';
