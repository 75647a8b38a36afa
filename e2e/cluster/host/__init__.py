"""A Kubernetes of one node on a plain Linux machine: no Docker, no image registry, no network.

The node is a set of namespaces (`space.py`) with the programs of `programs.py` in it. Whatever they do to mounts,
interfaces, firewall rules and process ids ends with it; outside there are one folder, one end of a virtual cable and
one control group, all three of a fixed name. So a run that was killed leaves nothing that the next does not find.
"""

import contextlib
import shutil
import time

from . import certificates, cgroups, manifests, place, programs, space
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
        running.kubectl("apply", "--server-side", "-f", "-", text=manifests.as_text(manifests.cluster_dns()))
        load(images)
        with step("node ready, names of services known"):
            ready = ("wait", f"node/{place.NODE}", "--for=condition=Ready", "--timeout=1s")
            running.wait("the node", 120, lambda: running.answers(*ready))
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


def is_up():
    """Whether there is one, as far as can be seen from outside."""
    return place.KUBECONFIG.exists() and bool(cgroups.processes())


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
