"""Where everything is: one folder, one control group, one range of addresses."""

import os
import re
import shutil
from pathlib import Path

from .say import Failed

# Not below the tree: overlay file systems and sockets are in it, and their paths must stay short.
DIR = Path(os.environ.get("E2E_CLUSTER_DIR", "/var/tmp/blue-origin-cluster"))
LAST_LOGS = DIR.with_name(DIR.name + "-last-logs")

LOGS = DIR / "logs"
PKI = DIR / "pki"
CONFIG = DIR / "config"
KUBECONFIG = DIR / "kubeconfig"
AUDIT = LOGS / "audit.log"

# As the node sees it, where /run is its own.
CONTAINERD = "/run/containerd/containerd.sock"

CGROUP = "blue-origin-cluster"

NODE = "node-1"
# The first is this machine's end of the cable, the second the node's.
CABLE = "bo-cluster"
HERE, THERE = "10.243.0.1", "10.243.0.2"
LINK = "10.243.0.0/24"
PODS = "10.243.1.0/24"
SERVICES = "10.243.2.0/24"
API, DNS = "10.243.2.1", "10.243.2.10"
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
