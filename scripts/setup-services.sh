#!/usr/bin/env bash
# Starts what development needs; see --help.
set -euo pipefail

if ! command -v node >/dev/null; then
  echo 'setup-services: Node.js 20.19 or newer is needed, and there is no `node` on the PATH' >&2
  exit 1
fi
exec node "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/services/setup.mjs" "$@"
