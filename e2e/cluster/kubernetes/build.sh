#!/usr/bin/env bash
# Builds Kubernetes from its released Go modules, once; prints the folder that has `kubernetes` and `pause`.
# The folder is outside of the tree and named by what it was made of. On two cores it takes some 12 minutes.
set -euo pipefail
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/blue-origin
key=$(cat go.mod go.sum main.go pause/main.go build.sh | sha256sum | cut -c -12)
version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' go.mod)
to=$cache/kubernetes-$version-$key

if [ -x "$to/kubernetes" ] && [ -x "$to/pause" ]; then
  echo "$to"
  exit
fi

no() { echo "Kubernetes cannot be had: $1" >&2; exit 1; }

command -v go >/dev/null || no "there is no Go to build it with (1.21 or newer; it fetches the release that go.mod names)"
mkdir -p "$cache"
exec 9>"$cache/kubernetes.lock"
flock 9
if [ ! -x "$to/kubernetes" ]; then
  echo "building Kubernetes $version, which takes some minutes the first time …" >&2
  new=$(mktemp -d "$cache/.kubernetes-XXXXXX")
  trap 'rm -rf "$new"' EXIT
  IFS=. read -r major minor _ <<<"${version#v}"
  at=k8s.io/component-base/version
  stamp="-X $at.gitVersion=$version -X $at.gitMajor=$major -X $at.gitMinor=$minor -X $at.gitTreeState=clean"
  export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -mod=readonly"
  nice -n 19 go mod download >&2 || no "its modules cannot be fetched; what Go says is above"
  nice -n 19 go build -trimpath -ldflags "-s -w $stamp" -o "$new/kubernetes" . >&2 \
    || no "it does not build; what Go says is above"
  nice -n 19 go build -trimpath -ldflags "-s -w" -o "$new/pause" ./pause >&2 || no "pause does not build"
  rm -rf "$to"
  mv "$new" "$to"
  chmod 755 "$to"
fi
echo "$to"
