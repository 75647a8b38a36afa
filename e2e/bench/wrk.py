"""The load generator: runs wrk on its core and reads its report."""

import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import machine
from origin import HOST
from process import Failed

FILL = Path(__file__).with_name("fill.lua")
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass
class Load:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def per_second(self):
        return self.requests / self.seconds


def load(url, connections, seconds):
    """Asks for one URL over and over. An error or an answer other than 2xx or 3xx fails the run."""
    return parse(_run(["-c", connections, "-d", f"{seconds}s", "--latency", url], seconds + 30))


def fill(port, count, arrived, connections=64, seconds=600):
    """Asks once for each of `count` small objects; gives the seconds that took, at most `seconds`.

    `arrived()` tells how many have come to the origin. wrk itself only knows durations: it is
    interrupted once all have come, and its report still says whether anything went wrong.
    """
    script = ["-c", connections, "-d", f"{seconds}s", "-s", FILL, f"http://127.0.0.1:{port}"]
    running = subprocess.Popen(
        _command([*script, "--", count, connections]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        start = time.monotonic()
        while arrived() < count and running.poll() is None and time.monotonic() - start < seconds:
            time.sleep(0.1)
        elapsed = time.monotonic() - start
        running.send_signal(signal.SIGINT)
        parse(running.communicate(timeout=30)[0])
        return elapsed
    finally:
        running.kill()
        running.wait()


def parse(report):
    """The figures of a report made with `--latency` (or without: percentiles are 0 then)."""
    for complaint in ("Non-2xx or 3xx responses", "Socket errors"):
        found = re.search(rf"{complaint}: (.*)", report)
        if found:
            raise Failed(f"wrk counted {complaint.lower()}: {found.group(1)}")
    found = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m|h),", report)
    if not found or int(found.group(1)) == 0:
        raise Failed(f"wrk got no answers; it said:\n{report}")
    requests, seconds, unit = found.groups()
    return Load(int(requests), float(seconds) * UNITS[unit], _percentile(report, 50), _percentile(report, 99))


def _percentile(report, which):
    found = re.search(rf"^\s+{which}%\s+([\d.]+)(us|ms|s|m|h)$", report, re.MULTILINE)
    return float(found.group(1)) * UNITS[found.group(2)] if found else 0.0


def _command(arguments):
    argv = ["taskset", "-c", machine.LOAD_CORE, machine.require("wrk", "wrk"), "-t", 1, "--timeout", "10s"]
    argv += ["-H", f"Host: {HOST}"]
    return [str(word) for word in argv + arguments]


def _run(arguments, limit):
    try:
        done = subprocess.run(_command(arguments), capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failed(f"wrk did not end within {limit} s") from None
    if done.returncode != 0:
        raise Failed(f"wrk ended with code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
