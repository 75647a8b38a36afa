"""Where everything is: one folder, one control group, one range of addresses."""

import os
import re
import shutil
import sys
from pathlib import Path

from .say import Failed

# Several clusters on a machine differ by it: from 0 to 9.
NUMBER = os.environ.get("E2E_CLUSTER_NUMBER", "0")
if NUMBER not in list("0123456789"):
    sys.exit(f"E2E_CLUSTER_NUMBER={NUMBER}: from 0 to 9")

# Not below the tree: overlay file systems and sockets are in it, and their paths must stay short.
CGROUP = f"blue-origin-cluster-{NUMBER}"
DIR = Path("/var/tmp", CGROUP)
LAST_LOGS = DIR.with_name(f"{CGROUP}-last-logs")
LOCK = Path("/run", f"{CGROUP}.lock")

LOGS = DIR / "logs"
PKI = DIR / "pki"
CONFIG = DIR / "config"
KUBECONFIG = DIR / "kubeconfig"
# There when the cluster is meant to stay.
STAYS = DIR / "stays"
AUDIT = LOGS / "audit.log"

# As the node sees it, where /run is its own.
CONTAINERD = "/run/containerd/containerd.sock"

NODE = "node-1"
# The first is this machine's end of the cable, the second the node's.
CABLE = f"bo-cluster-{NUMBER}"
NETWORK = f"10.{243 + int(NUMBER)}"
HERE, THERE = f"{NETWORK}.0.1", f"{NETWORK}.0.2"
LINK = f"{NETWORK}.0.0/24"
PODS = f"{NETWORK}.1.0/24"
SERVICES = f"{NETWORK}.2.0/24"
API, DNS = f"{NETWORK}.2.1", f"{NETWORK}.2.10"
SERVER = f"https://{THERE}:6443"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def make():
    """Makes the folder, readable by its owner alone: tokens and keys are in it."""
    DIR.mkdir(mode=0o700)
    for below in (LOGS, PKI, CONFIG, DIR / "lib", DIR / "log", DIR / "sysctl"):
        below.mkdir()


def remove():
    """Removes the folder, unless something is mounted in it."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        target = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), line.split(" ")[4])
        if Path(target).is_relative_to(DIR):
            raise Failed(f"{target} is a mount: unmount it, then remove {DIR}")
    if DIR.is_symlink() or DIR.exists() and DIR.stat().st_uid != os.getuid():
        raise Failed(f"{DIR} is not ours: remove it")
    if DIR.exists():
        shutil.rmtree(DIR)
