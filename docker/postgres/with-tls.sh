#!/bin/sh
# Starts as root, before the image's entry point: PostgreSQL takes only a key that nobody else may read.
set -eu
install -d -m 755 /run/tls
install -m 600 -o postgres -g postgres /run/secrets/postgres-key /run/tls/key.pem
exec docker-entrypoint.sh "$@"
