-- What SQL can tell: UTS 46 is the worker's. Given ASCII letters in lower case, no other address is not in normal form.
CREATE FUNCTION email.needs_normalizing(address text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT address ~ '[^[:ascii:]]' AND (address !~ '@[\x21-\x7e]*$' OR address IS NOT NFC NORMALIZED) $$;

COMMENT ON FUNCTION email.needs_normalizing(text) IS
  'Whether an address, its ASCII letters in lower case, is not in normal form: its domain in ASCII, the rest in NFC';

COMMENT ON COLUMN email.deliveries.recipient IS
  'The address in normal form: domain by UTS 46 to ASCII in lower case; before the @ NFC, ASCII letters in lower case';
COMMENT ON COLUMN email.suppressions.address IS
  'In normal form, as normalizeAddress of @mono/message-queue makes it; other spellings in lower case work, and are slower';

-- Letters other than ASCII keep their case before the @.
ALTER TABLE email.suppressions DROP CONSTRAINT suppressions_address_check;
ALTER TABLE email.suppressions
  ADD CONSTRAINT suppressions_address_check CHECK (address = lower(address COLLATE "C"));

CREATE INDEX suppressions_to_normalize_idx ON email.suppressions (tenant_id, address)
  WHERE email.needs_normalizing(address);

-- How far the rows of workers that knew no normal form have been looked through. Gone when all are.
CREATE TABLE email.normalizing (
  tenant_id  bigint NOT NULL,
  message_id text   NOT NULL,
  recipient  text   NOT NULL
);
COMMENT ON TABLE email.normalizing IS 'The last of the deliveries whose recipient was brought into normal form';
INSERT INTO email.normalizing VALUES (0, '', '');
