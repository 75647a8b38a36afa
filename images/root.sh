#!/bin/sh
# Makes the root of an image of ours: a program, the libraries that it was linked with, a user, nothing else.
# What `Dockerfile` and the Docker-less `archive.py` build is therefore the same.
#
#   root.sh PROGRAM FOLDER
set -eu
umask 022
program=$1 root=$2

mkdir -p "$root/usr/bin" "$root/etc" "$root/tmp"
cp "$program" "$root/usr/bin/"

# The libraries and the loader, at the paths where the loader looks for them; a static program has none.
if libraries=$(ldd "$program" 2>/dev/null); then
  echo "$libraries" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
fi

# Kubernetes' `runAsNonRoot` wants a number in the image; the name is for people.
echo 'nonroot:x:65532:65532:nonroot:/:/nonexistent' > "$root/etc/passwd"
echo 'nonroot:x:65532:' > "$root/etc/group"
# Numbers and names of hosts first from the file that Kubernetes writes, then from DNS.
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
