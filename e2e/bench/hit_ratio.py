"""Hit ratios of the eviction policies, as a program of our own replays traces and prints them."""

import json
import subprocess
from pathlib import Path

from process import Failed

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["cargo", "run", "--release", "-q", "-p", "e2e", "--bin", "hit-ratio"]


def measure():
    """What the program prints: `{"traces": [{"name", "bytes", "belady", "lru", …}]}`; None without it."""
    if not _exists():
        print("  there is no such program yet, skipped")
        return None
    try:
        done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    except subprocess.TimeoutExpired:
        raise Failed(f"`{' '.join(COMMAND)}` did not end within 30 minutes") from None
    if done.returncode != 0:
        raise Failed(f"`{' '.join(COMMAND)}` ended with code {done.returncode}:\n{done.stderr[-2000:]}")
    try:
        return {"traces": json.loads(done.stdout)["traces"]}
    except (ValueError, KeyError) as error:
        raise Failed(f"`{' '.join(COMMAND)}` did not print the JSON expected: {error!r}") from error


def _exists():
    binaries = ROOT / "e2e/src/bin"
    named = any(binaries.glob("hit[-_]ratio*"))
    return named or '"hit-ratio"' in (ROOT / "e2e/Cargo.toml").read_text()
