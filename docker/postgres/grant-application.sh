#!/bin/sh
# What an application may see and change of the workers' tables: what is stored of chat and audit, the rows of devices and
# suppressed addresses, and counts of what became of a message. To be run when the workers have migrated, because nothing
# can be granted on a table that is not there, and what default privileges would grant is every table of a schema. May run
# again. Connects as set-up.sh does.
set -eu

psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --single-transaction --set=role="${1:-example_application}" \
  --file="$(dirname "$0")/ledger-outcomes.sql" --file=- <<'SQL'
GRANT USAGE ON SCHEMA chat, push, email, audit TO :"role";
GRANT SELECT ON chat.conversations, chat.messages, audit.events TO :"role";
GRANT SELECT, INSERT, DELETE ON push.devices, email.suppressions TO :"role";
-- What registering a device again sets anew; neither whose tenant's it is nor where it leads.
GRANT UPDATE (user_id, p256dh, auth, address_kind, environment, registered_at, disabled_at, disabled_reason)
  ON push.devices TO :"role";
GRANT UPDATE (reason) ON email.suppressions TO :"role";
GRANT EXECUTE ON FUNCTION push.count_outcomes(bigint, text), email.count_outcomes(bigint, text) TO :"role";
SQL
echo "role ${1:-example_application} sees what an application may see"
