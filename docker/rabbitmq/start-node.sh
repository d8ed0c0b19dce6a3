#!/bin/bash
# Runs before start-broker.sh on each node of docker-compose.cluster.yml. JOIN: the hosts one of which a node without data
# waits for and joins.
set -eu

if [ "${NODE_ENV:-}" = production ] && [ "$ERLANG_COOKIE" = development ]; then
  echo 'ERLANG_COOKIE: expected a secret of your own in production, found the one of development' >&2
  exit 1
fi

# In its file: as a variable the broker takes it too, but calls it deprecated.
cookie=/var/lib/rabbitmq/.erlang.cookie
rm -f "$cookie"
(umask 077 && printf '%s' "$ERLANG_COOKIE" >"$cookie")
chown rabbitmq "$cookie"
unset ERLANG_COOKIE

# Nodes that start together would make clusters of their own, and leave out the one that has the data already.
someone_serves() {
  local host
  for host in $JOIN; do
    if (exec 3<>"/dev/tcp/$host/5672") 2>/dev/null; then return; fi
  done
  return 1
}
if [ -n "${JOIN:-}" ] && [ ! -e /var/lib/rabbitmq/mnesia ]; then
  echo "waiting for one of $JOIN"
  until someone_serves; do sleep 1; done
fi

exec /start-broker.sh "$@"
