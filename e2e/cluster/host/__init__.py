"""A Kubernetes of one node on a plain Linux machine: no Docker, no image registry, no network.

The node is a set of namespaces (`space.py`) with the programs of `programs.py` in it. Whatever they do to mounts,
interfaces, firewall rules and process ids ends with it; outside there are one folder, one end of a virtual cable and
one control group, all three of a fixed name. So a run that was killed leaves nothing that the next does not find.
"""

import contextlib
import fcntl
import os
import shutil
import signal as signals
import time

from . import certificates, cgroups, place, programs, space
from .say import Failed, step


def up(kubernetes, kubectl, images):
    """Starts a cluster, in place of one that is there.

    kubernetes: the folder with `kubernetes` and `pause`; kubectl: the program; images: archives for the node.
    """
    began = time.monotonic()
    down()
    place.make()
    try:
        certificates.make()
        with step("node's namespaces"):
            space.make(kubernetes / "pause")
        running = programs.start(kubernetes, kubectl)
        load(images)
        with step("node"):
            ready = ("wait", f"node/{place.NODE}", "--for=condition=Ready", "--timeout=1s")
            running.wait("the node", 120, lambda: running.answers(*ready))
        with step("controllers"):
            account = ("get", "serviceaccount", "default", "--output=name")
            running.wait("the controllers", 60, lambda: running.answers(*account))
        with step("CoreDNS"):
            running.wait("CoreDNS", 60, programs.dns_is_ready)
    except BaseException:
        keep_logs()
        with contextlib.suppress(Failed):
            down()
        raise
    print(f"cluster ready after {time.monotonic() - began:.0f} s", flush=True)


def load(images):
    """Gives the node what is in the archives."""
    for archive in images:
        with step(f"image {archive.stem}"):
            space.run("ctr", "--address", place.CONTAINERD, "--namespace", "k8s.io", "images", "import", archive)


@contextlib.contextmanager
def locked():
    """For one at a time: whoever comes second would end the first one's cluster."""
    with open(place.LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed("another run has the cluster; wait, or take one of your own: E2E_CLUSTER_NUMBER=1") from None
        yield


def stay():
    """Says that the cluster is there for somebody, not left by a run that was killed."""
    place.STAYS.touch()


def stays():
    """Whether there is one that somebody wanted to stay, and it answers."""
    return place.STAYS.exists() and programs.api_is_ready()


def signal(program, name):
    """Sends the signal called `name` to a program of the node, such as STOP and CONT to `kubelet`."""
    of_program = [pid for pid in cgroups.processes() if programs.is_called(pid, program)]
    if not of_program:
        raise Failed(f"no {program} runs in the cluster")
    for pid in of_program:
        os.kill(pid, getattr(signals, f"SIG{name}"))


def down():
    """Ends the cluster of this run or of one that was killed; nothing of it is left."""
    cgroups.kill()
    space.remove_cable()
    cgroups.remove()
    place.remove()


def keep_logs():
    """Puts the logs of a cluster that is about to go where they can be read."""
    if place.LOGS.exists():
        shutil.rmtree(place.LAST_LOGS, ignore_errors=True)
        shutil.copytree(place.LOGS, place.LAST_LOGS)
        print(f"what the cluster's programs said is in {place.LAST_LOGS}", flush=True)
