"""A server as a tree of processes: started on one core, measured in /proc, stopped by its pids."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A started program did not do what it was started for."""


def free_port():
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A running server with all its children. Use it as a context: leaving stops the whole tree."""

    def __init__(self, name, argv, core, home, env=None):
        self.name = name
        self.log = Path(home) / "output.log"
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                ["taskset", "-c", str(core), *map(str, argv)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=home,
                env={**os.environ, **(env or {})},
                start_new_session=True,  # a Ctrl-C reaches us alone, and we stop it in order
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for_port(self, port, seconds=30):
        """Returns once `port` answers; fails with the end of the log if the server died or is late."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise Failed(f"{self.name} ended with code {self._child.returncode}:\n{self.log_tail()}")
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise Failed(f"{self.name} did not listen on port {port} within {seconds} s:\n{self.log_tail()}")

    def log_tail(self, lines=15):
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join("    " + line for line in text[-lines:]) or "    (it wrote nothing)"

    def pids(self):
        """The process and all its descendants."""
        children = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            fields = _stat(stat)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        tree, todo = [], [self._child.pid]
        while todo:
            pid = todo.pop()
            tree.append(pid)
            todo += children.get(pid, [])
        return tree

    def cpu_seconds(self):
        """User and system time that the tree has consumed so far, threads included."""
        ticks = 0
        for pid in self.pids():
            fields = _stat(Path(f"/proc/{pid}/stat"))
            if fields:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def memory(self):
        """Resident bytes of the tree; pages that its processes share are counted once."""
        return sum(_memory(pid) for pid in self.pids())

    def stop(self):
        tree = self.pids() if self._child.poll() is None else []
        for attempt in (signal.SIGTERM, signal.SIGKILL):
            if self._child.poll() is not None:
                break
            self._child.send_signal(attempt)
            try:
                self._child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        for pid in tree[1:]:  # children that outlived their parent, still the same ones
            if _leads_session(pid, self._child.pid):
                os.kill(pid, signal.SIGKILL)


def _stat(path):
    """The fields of a stat file after the name in brackets, or None when the process is gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _leads_session(pid, session):
    """Whether `pid` still runs in the session that we opened, so that a reused pid is never hit."""
    fields = _stat(Path(f"/proc/{pid}/stat"))
    return bool(fields) and int(fields[3]) == session


def _memory(pid):
    """Of memory files (memfd_create(2)) everything, be it mapped or not."""
    try:
        sizes = {"Pss": 0, "Pss_Shmem": 0}
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in sizes:
                sizes[name] = int(value.split()[0]) * 1024
        files = sum(_memory_file(fd) for fd in Path(f"/proc/{pid}/fd").iterdir())
        return sizes["Pss"] + (files - sizes["Pss_Shmem"] if files else 0)
    except OSError:
        return 0


def _memory_file(fd):
    try:
        return fd.stat().st_blocks * 512 if os.readlink(fd).startswith("/memfd:") else 0
    except OSError:  # closed meanwhile
        return 0
