#!/usr/bin/env python3
"""Builds an image of ours without Docker: a tar as `docker save` writes it, for `ctr images import`, `kind load
image-archive` and `docker load`.

    archive.py PROGRAM NAME:TAG FILE

The same program gives the same bytes.
"""

import hashlib
import io
import json
import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

USER = "65532:65532"


def build(program, tags, to):
    """Writes the image called by each of `tags`, which runs `program`, to the file `to`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["sh", Path(__file__).with_name("root.sh"), program, root], check=True)
        layer = pack(root)
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": [f"/usr/bin/{Path(program).name}"], "User": USER, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        },
        sort_keys=True,
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [{"Config": name, "RepoTags": tags, "Layers": [f"{digest}/layer.tar"]}]
    Path(to).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(to, "w") as archive:
        for path, content in (
            (f"{digest}/layer.tar", layer),
            (name, config),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def pack(root):
    """The layer: everything below `root`, as root's, without times."""

    def plain(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as layer:
        for path in sorted(root.rglob("*")):
            layer.add(path, arcname=path.relative_to(root), recursive=False, filter=plain)
    return out.getvalue()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, tag, to = sys.argv[1:]
    build(program, [tag], to)
