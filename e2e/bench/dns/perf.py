"""The load: dnsperf on the other core."""

import re
import subprocess
from dataclasses import dataclass

import machine
from process import Failed

SOCKETS = 8
OUTSTANDING = 100


@dataclass
class Seen:
    """What dnsperf saw. Latencies only where they were asked for, in seconds, in order."""

    completed: int
    lost: int
    per_second: float
    latencies: list


def load(port, queries, seconds, rate=None):
    """As many queries as are answered with `OUTSTANDING` under way; or `rate` a second, with the time of each."""
    argv = ["taskset", "-c", machine.LOAD_CORE, machine.require("dnsperf", "dnsperf"), "-s", "127.0.0.1"]
    argv += ["-p", port, "-d", queries, "-B", "-c", SOCKETS, "-q", OUTSTANDING, "-l", seconds]
    if rate:
        argv += ["-Q", rate, "-v"]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"dnsperf ended with code {done.returncode}:\n{done.stderr}")
    return parse(done.stdout)


def parse(text):
    completed = _number(r"Queries completed:\s+(\d+)", text)
    bad = re.findall(r"(?m)^\s*Response codes:(.*)$", text)
    if not completed or not bad or _codes(bad[0]) != {"NOERROR": int(completed)}:
        raise Failed(f"not all answers are good:\n{text[-2000:]}")
    return Seen(
        completed=int(completed),
        lost=int(_number(r"Queries lost:\s+(\d+)", text)),
        per_second=_number(r"Queries per second:\s+([\d.]+)", text),
        latencies=sorted(float(found) for found in re.findall(r"(?m)^> NOERROR .* (\d+\.\d+)$", text)),
    )


def _codes(text):
    return {name: int(count) for name, count in re.findall(r"([A-Z]+) (\d+) \(", text)}


def _number(pattern, text):
    found = re.search(pattern, text)
    return float(found.group(1)) if found else 0.0


def percentile(ordered, part):
    """The value that `part` of the ordered values do not exceed."""
    if not ordered:
        raise Failed("dnsperf told no latencies")
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
