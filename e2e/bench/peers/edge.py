"""Our own edge: one worker thread, everything in the memory tier."""

import subprocess
from pathlib import Path

import machine
from peers.peer import Peer

ROOT = Path(__file__).resolve().parents[3]
BINARY = ROOT / "target/release/edge"


def config_text(port, origin, store_bytes):
    """The whole configuration of the edge; the one place that knows its format."""
    return f"""\
listen: 127.0.0.1:{port}
admin: 127.0.0.1:0
threads: 1
cache:
  memoryBytes: {store_bytes}
sites:
  - hosts: ["*"]
    origin: http://127.0.0.1:{origin}
"""


class Edge(Peer):
    name = "edge"
    label = "Blue Origin"
    binary = "edge"
    version_args = ["--version"]

    def find(self):
        if not BINARY.exists():
            raise machine.Missing("target/release/edge is missing: build it (`cargo build --release -p edge`)")
        return str(BINARY)

    def version(self):
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
        return f"{super().version()} ({commit})" if commit else super().version()

    def prepare(self, home, port, origin, objects):
        config = home / "edge.yaml"
        config.write_text(config_text(port, origin, (2 + objects // 250_000) << 30))
        return [self.find(), "--config", config], {}
