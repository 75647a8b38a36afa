"""The files that the node's programs are configured by."""

import json

from . import access, place

PAUSE = "blue-origin.test/pause:1"


def make():
    """Writes them all."""
    write("kubelet.json", kubelet())
    write("proxy.json", proxy())
    write("audit.json", audit())
    write("cni/10-pods.conflist", pods())
    (place.CONFIG / "resolv.conf").write_text("")
    (place.CONFIG / "containerd.toml").write_text(containerd())
    (place.CONFIG / "Corefile").write_text(corefile())


def write(name, content):
    path = place.CONFIG / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1))


def kubelet():
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": place.THERE,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(place.PKI / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{place.CGROUP}",
        "clusterDNS": [place.DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{place.CONTAINERD}",
        # A machine for tests is mostly full, and swaps, and has whatever version of control groups it has.
        "enforceNodeAllocatable": [],
        "evictionHard": {},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "resolvConf": str(place.CONFIG / "resolv.conf"),
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    }


def proxy():
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(access.of("proxy"))},
        "clusterCIDR": place.PODS,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "hostnameOverride": place.NODE,
        "mode": "iptables",
    }


def audit():
    """Who did what, without contents; not the reading of health."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/openapi/*", "/version"]},
            {"level": "None", "userGroups": ["system:nodes", "system:masters"]},
            {"level": "None", "users": ["system:apiserver", "system:kube-scheduler", "system:kube-proxy"]},
            {"level": "None", "users": ["system:kube-controller-manager", "system:coredns"]},
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata"},
        ],
    }


def pods():
    """A cable for each pod; the node routes, so that services work between any two without the bridge's help."""
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": place.PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/pods",
    }
    plugins = [{"type": "ptp", "ipMasq": False, "ipam": ipam}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": plugins}


def containerd():
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
address = "{place.CONTAINERD}"

[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{place.CONFIG}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""


def corefile():
    return f"""\
.:53 {{
    bind {place.THERE}
    errors
    ready {place.THERE}:8181
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {access.of("dns")}
        pods insecure
    }}
    cache 2
    loadbalance
}}
"""
