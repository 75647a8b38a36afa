"""The cluster that we ask kind for: its own, with an audit log that tests can read."""

import json
import os
import shutil

import ours
from host import configs

# What the node gets of ours, and where it finds it.
HERE, THERE = ours.ROOT / "target/kind", "/blue-origin"
CONFIG = HERE / "cluster.json"
AUDIT = HERE / "log/audit.log"
CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
# There as long as a cluster that `up` made is.
STAYS = HERE / "stays"


def make():
    """Writes what kind and the API server read."""
    remove()
    AUDIT.parent.mkdir(parents=True)
    (HERE / "audit.json").write_text(json.dumps(configs.audit()))
    for name in CONTROL_PLANE:
        patch = HERE / f"patches/{name}+strategic.json"
        patch.parent.mkdir(exist_ok=True)
        patch.write_text(json.dumps(modest(name)))
    CONFIG.write_text(json.dumps(cluster()))


def remove():
    if HERE.exists():
        shutil.rmtree(HERE)


def modest(name):
    """Leaves a small machine's cores, most of which kubeadm reserves, to what the tests install."""
    container = {"name": name, "resources": {"requests": {"cpu": "10m"}}}
    return {"spec": {"containers": [container]}}


def cluster():
    """See kind's documentation: kind.x-k8s.io/v1alpha4."""
    arguments = {"audit-policy-file": f"{THERE}/audit.json", "audit-log-path": f"{THERE}/log/audit.log"}
    volume = {"name": "audit", "hostPath": THERE, "mountPath": THERE, "pathType": "Directory"}
    # Arguments are written differently since v1beta4; a patch of another version than kind's does nothing.
    versions = {"v1beta3": arguments, "v1beta4": [{"name": name, "value": of} for name, of in arguments.items()]}
    patches = [
        json.dumps(
            {
                "apiVersion": f"kubeadm.k8s.io/{version}",
                "kind": "ClusterConfiguration",
                "apiServer": {"extraArgs": written, "extraVolumes": [volume]},
            }
        )
        for version, written in versions.items()
    ]
    patches.append(json.dumps({"kind": "InitConfiguration", "patches": {"directory": f"{THERE}/patches"}}))
    node = {"role": "control-plane", "extraMounts": [{"hostPath": str(HERE), "containerPath": THERE}]}
    return {
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "kind": "Cluster",
        "nodes": [node],
        "kubeadmConfigPatches": patches,
    }


def environment():
    """Docker's files may be root's alone."""
    return {"E2E_AUDIT": str(AUDIT)} if os.access(AUDIT, os.R_OK) else {}
