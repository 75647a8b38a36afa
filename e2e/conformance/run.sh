#!/usr/bin/env bash
# Runs the public HTTP cache test suite against our edge; see README.md for the options.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { echo "conformance: $1" >&2; exit 2; }

command -v node >/dev/null || fail "node is missing: install Node.js 20.11 or newer"
command -v npm >/dev/null || fail "npm is missing: it comes with Node.js"

# The suite lives outside the tree, a folder for each lock file, so that nothing is fetched twice.
lock=$(cksum < "$here/package-lock.json" | cut -d' ' -f1)
suite="${XDG_CACHE_HOME:-$HOME/.cache}/blue-origin/conformance-$lock"
if [ ! -e "$suite/.complete" ]; then
    mkdir -p "$suite"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$suite/"
    (cd "$suite" && npm ci --loglevel=error) || fail "npm ci failed: is the package registry reachable?"
    touch "$suite/.complete"
fi

exec node --no-warnings "$here/run.mjs" --suite "$suite/node_modules/http-cache-tests" "$@"
