#!/bin/sh
# Before the image's entry point: refuses the password of docker-compose.yml in production.
set -eu
case "$NODE_ENV $GF_SECURITY_ADMIN_PASSWORD" in
  'production admin123' | 'production development')
    echo 'GRAFANA_PASSWORD: expected a password of your own in production, found the one of development' >&2
    exit 1
    ;;
esac
if [ -e /run.sh ]; then exec /run.sh "$@"; fi
# A stand-in for the image, for tests without a registry.
exec node /usr/share/grafana/standin.js "$@"
