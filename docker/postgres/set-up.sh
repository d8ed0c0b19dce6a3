#!/bin/sh
# One role and one schema for each worker: it owns its own, and does not so much as see into the others'. May run again,
# and sets the passwords anew then. Connects by libpq's PG* variables, as a superuser.
set -eu

# The passwords of docker-compose.yml.
for variable in PGPASSWORD CHAT_WORKER_DATABASE_PASSWORD PUSH_WORKER_DATABASE_PASSWORD EMAIL_WORKER_DATABASE_PASSWORD \
  AUDIT_WORKER_DATABASE_PASSWORD ${EXAMPLE_APPLICATION_DATABASE_PASSWORD:+EXAMPLE_APPLICATION_DATABASE_PASSWORD}; do
  eval "password=\$$variable"
  case "$NODE_ENV $password" in
    'production development' | 'production postgres')
      echo "$variable: expected a password of your own in production, found the one of development" >&2
      exit 1
      ;;
  esac
done

set_up() { # schema role password
  # By the environment: arguments can be seen by everybody.
  ROLE_PASSWORD=$3 psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --set=schema="$1" --set=role="$2" <<'SQL'
\getenv password ROLE_PASSWORD
SET client_min_messages = warning;
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN PASSWORD :'password';
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'role') \gexec
CREATE SCHEMA IF NOT EXISTS :"schema";
ALTER SCHEMA :"schema" OWNER TO :"role";
-- What somebody else has migrated before.
SELECT format('ALTER TABLE %s OWNER TO %I', oid::regclass, :'role') FROM pg_class
WHERE relnamespace = :'schema'::regnamespace AND relkind IN ('r', 'p')
  AND pg_get_userbyid(relowner) <> :'role' \gexec
SQL
  echo "role $2 owns schema $1"
}

psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 <<'SQL'
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
set_up chat chat_worker "$CHAT_WORKER_DATABASE_PASSWORD"
set_up push push_worker "$PUSH_WORKER_DATABASE_PASSWORD"
set_up email email_worker "$EMAIL_WORKER_DATABASE_PASSWORD"
set_up audit audit_worker "$AUDIT_WORKER_DATABASE_PASSWORD"
# Only where the example application is to run. What it may see of the others: grant-application.sh.
if [ -n "${EXAMPLE_APPLICATION_DATABASE_PASSWORD:-}" ]; then
  set_up example example_application "$EXAMPLE_APPLICATION_DATABASE_PASSWORD"
fi
