"""Our own edge: one worker thread, everything in the memory tier."""

import json
import subprocess
from pathlib import Path

import machine
from origin import HOST
from peers.peer import Peer

ROOT = Path(__file__).resolve().parents[3]
BINARY = ROOT / "target/release/edge"


def command(config, port):
    """How the edge is started: one worker, nothing but its listener."""
    return [str(BINARY), "--config", config, "--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0", "--threads", "1"]


def snapshot(origin, memory):
    """What it serves, in the format of `wire::Snapshot` (JSON is YAML)."""
    site = {
        "name": "bench",
        "hosts": [HOST],
        "origins": [{"url": f"http://127.0.0.1:{origin}"}],
    }
    limits = {"idleTimeoutMs": 3_600_000}
    return {
        "format": 1,
        "version": "bench",
        "pool": "bench",
        "cache": {"memoryBytes": memory},
        "limits": limits,
        "sites": [site],
    }


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
        config.write_text(json.dumps(snapshot(origin, (2 + objects // 250_000) << 30)))
        return command(config, port), {}
