"""The control groups of the node, by which all that belongs to it is found again, whoever started it.

With version 1 there is a folder for each controller; processes are told by that of `pids`.
"""

import os
import signal
import time
from pathlib import Path

from .place import CGROUP
from .say import Failed

ROOT = Path("/sys/fs/cgroup")

# Those that a kubelet wants, as far as the machine has them.
WANTED = {"cpu", "cpuset", "hugetlb", "memory", "pids"}


def is_unified():
    """Whether the machine has version 2 alone."""
    return (ROOT / "cgroup.controllers").exists()


def roots():
    """The node's folder in each hierarchy that is mounted."""
    if is_unified():
        return [ROOT / CGROUP]
    below = {path.resolve() for path in ROOT.iterdir() if (path / "cgroup.procs").exists()}
    return [path / CGROUP for path in sorted(below)]


def told_by():
    """The folder whose processes are the node's."""
    return next((root for root in roots() if root.parent.name == "pids"), roots()[0])


def make():
    """Makes the folders, of which pods get their own and the node's programs share `node`."""
    if is_unified():
        # systemd gives folders the controllers that its own services use; a kubelet wants some more.
        for controller in WANTED.intersection((ROOT / "cgroup.controllers").read_text().split()):
            (ROOT / "cgroup.subtree_control").write_text(f"+{controller}")
    for root in roots():
        root.mkdir(exist_ok=True)
    (told_by() / "node").mkdir(exist_ok=True)


def join():
    """Puts the calling process, and so all that it starts, among the node's."""
    (told_by() / "node" / "cgroup.procs").write_text("0")


def processes():
    """The ids of all processes of the node and of its pods."""
    found = []
    for listed in told_by().glob("**/cgroup.procs"):
        try:
            found += [int(pid) for pid in listed.read_text().split()]
        except OSError:
            continue
    return [pid for pid in found if pid not in (0, os.getpid())]


def kill():
    """Ends them all."""
    end = time.monotonic() + 30
    while left := processes():
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > end:
            raise Failed(f"processes {left} do not end")
        time.sleep(0.05)


def remove():
    """Removes the folders, the innermost first."""
    end = time.monotonic() + 10
    for root in roots():
        while root.exists():
            for path, _, _ in os.walk(root, topdown=False):
                try:
                    os.rmdir(path)
                except OSError:
                    # The kernel may still be burying who was in it.
                    continue
            if root.exists() and time.monotonic() > end:
                raise Failed(f"{root} cannot be removed")
            time.sleep(0.01)
