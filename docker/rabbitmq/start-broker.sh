#!/bin/bash
# Entry point of the broker: the keys of realtime tokens, then the image's own with the server, and beside it the import of
# the topology, at each start. By `load_definitions` the server would import it too, but then it makes no administrator.
set -eu

definitions=/etc/rabbitmq/definitions.json
# The health check asks for it.
imported=/run/topology-imported
# With the data: the queues of this topology have been made once.
made=/var/lib/rabbitmq/topology-made

say() { echo "docker/rabbitmq/definitions.json: $*" >&2; }

# With the broker's libraries, for JSON.
check() { ERL_LIBS=/plugins escript /check-definitions.escript "$@"; }

import_topology() {
  # The server makes it.
  until [ -e /var/lib/rabbitmq/.erlang.cookie ]; do sleep 0.2; done
  # As the server's user, because it may start Erlang's name server before the server does. The time has no end: with the
  # server the container ends, and this too.
  docker-entrypoint.sh rabbitmqctl --quiet wait --pid 1 --timeout 1000000 || say 'is tried though the broker was not seen to run'
  # Queues get their members from the nodes that have joined when they are made. Later a node may be away.
  if [ -n "${BROKER_NODES:-}" ] && [ ! -e "$made" ]; then
    until rabbitmqctl --quiet await_online_nodes "$BROKER_NODES" --timeout 60; do
      say "is imported when $BROKER_NODES nodes run"
    done
  fi
  until rabbitmqctl --quiet import_definitions "$definitions"; do
    say 'was not imported, so this broker is not healthy; it is tried again every 5 s. If the reason above is the file,' \
      'mend it, or write it anew with `npm run generate`'
    sleep 5
  done
  touch "$made"
  echo 'the topology is imported'
  local found
  found=$(mktemp)
  rabbitmqctl --quiet export_definitions "$found" && check "$definitions" "$found" ||
    say 'could not be compared with what the broker has'
  rm "$found"
  touch "$imported"
}

# All nodes share the key of development, and whoever makes tokens has it too.
realtime_key=/var/lib/realtime/key.pem

put_realtime_keys() {
  # The node that the others join makes it.
  if [ -n "${JOIN:-}" ] && [ -z "${REALTIME_PUBLIC_KEY:-}" ] && [ "${NODE_ENV:-}" != production ] && [ ! -e "$realtime_key" ]; then
    echo "waiting for $realtime_key, which the first node makes unless it has REALTIME_PUBLIC_KEY; then set it here too"
    until [ -e "$realtime_key" ]; do sleep 0.2; done
  fi
  escript /realtime-keys.escript /etc/rabbitmq/realtime "$realtime_key"
}

rm -f "$imported"
check "$definitions"
put_realtime_keys
if [ -n "${JOIN:-}" ]; then
  # The node that others join imports it for all.
  touch "$imported"
else
  # In a subshell that ends at once, so that init becomes the parent: the server replaces this shell and would not reap it.
  (import_topology &)
fi
exec docker-entrypoint.sh "$@"
