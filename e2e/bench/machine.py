"""What the figures were taken on, said as a class of machine and not as its name."""

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

SERVER_CORE = 0
LOAD_CORE = 1


class Missing(Exception):
    """Something that the machine needs is not there; the text says how to get it."""


def describe():
    """A short description of the machine: architecture, processor, cores, memory, system."""
    return {
        "architecture": platform.machine(),
        "processor": _field("/proc/cpuinfo", "model name") or "unknown",
        "cores": os.cpu_count(),
        "memory_gib": round(_memory_kib() / 2**20),
        "system": f"Linux {'.'.join(platform.release().split('.')[:2])}, {_distribution()}",
    }


def sentence(machine):
    """The description as one line of prose."""
    return (
        f"{machine['cores']} cores of {machine['processor']} ({machine['architecture']}), "
        f"{machine['memory_gib']} GiB, {machine['system']}"
    )


def other_load(seconds=2):
    """The part of both cores that others use while nothing of ours runs: how noisy figures will be."""
    idle, total = _cpu_times()
    time.sleep(seconds)
    later_idle, later_total = _cpu_times()
    return round(1 - (later_idle - idle) / max(1, later_total - total), 2)


def require_two_cores():
    """The server gets one core, the load and the origin the other; with fewer nothing is measured."""
    allowed = os.sched_getaffinity(0)
    if not {SERVER_CORE, LOAD_CORE} <= allowed:
        raise Missing(
            f"cores {SERVER_CORE} and {LOAD_CORE} are both needed, "
            f"this process may use {sorted(allowed)}: run on a machine with two cores or more"
        )


def require(binary, package):
    """Finds `binary`, installing its Debian `package` when that is possible."""
    found = _which(binary)
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"  installing {package}", flush=True)
        done = subprocess.run(
            ["apt-get", "install", "-y", "-q", package],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
            capture_output=True,
            text=True,
        )
        found = _which(binary)
        if found:
            return found
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Missing(f"{binary} is missing and `apt-get install {package}` failed: {reason}")
    raise Missing(f"{binary} is missing: install the Debian package {package} (`apt-get install {package}`)")


def _which(binary):
    return shutil.which(binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _cpu_times():
    idle = total = 0
    wanted = (f"cpu{SERVER_CORE} ", f"cpu{LOAD_CORE} ")
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(wanted):
            ticks = [int(field) for field in line.split()[1:9]]
            idle, total = idle + ticks[3] + ticks[4], total + sum(ticks)
    return idle, total


def _field(file, name):
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _memory_kib():
    return int(_field("/proc/meminfo", "MemTotal").split()[0])


def _distribution():
    try:
        release = Path("/etc/os-release").read_text()
    except OSError:
        return "unknown distribution"
    fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    return fields.get("PRETTY_NAME", "unknown distribution").strip('"')
