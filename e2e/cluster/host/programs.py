"""The programs of the node, in the order in which they need each other."""

import socket
import ssl
import urllib.request
from pathlib import Path

from . import access, configs, manifests, place, space
from .say import Failed, step, wait


class Running:
    """What was started, so that waiting ends when one of them does."""

    def __init__(self, kubernetes, kubectl):
        self.kubernetes = kubernetes
        self.kubectl_path = kubectl
        self.children = {}

    def start(self, name, *arguments):
        """Starts a program; Kubernetes' own are in one file."""
        ours = name.startswith("kube") or name == "coredns"
        program = [self.kubernetes / "kubernetes", name] if ours else [name]
        self.children[name] = space.start(space.inside([*program, *arguments]), name)

    def alive(self):
        """Raises when one has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                log = place.LOGS / f"{name}.log"
                last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise Failed(f"{name} ended with {child.returncode}; the end of its log:\n{last}")

    def wait(self, what, seconds, holds):
        """Waits as long as all of them live."""
        wait(what, seconds, holds, self.alive)

    def kubectl(self, *arguments, text=None):
        """Runs kubectl as administrator."""
        command = [self.kubectl_path, "--kubeconfig", place.KUBECONFIG, *arguments]
        return space.output(command, input=text)

    def answers(self, *arguments):
        """Whether kubectl succeeds, and prints something."""
        try:
            return bool(self.kubectl(*arguments))
        except Failed:
            return False


def start(kubernetes, kubectl):
    """Starts all of them; the API server is ready then, and nothing else need be."""
    access.make()
    configs.make()
    running = Running(kubernetes, kubectl)
    with step("containerd"):
        running.start("containerd", "--config", place.CONFIG / "containerd.toml")
        running.wait("containerd", 30, containerd_answers)
    with step("etcd"):
        running.start("etcd", *etcd())
        running.wait("etcd", 30, lambda: "ready to serve" in (place.LOGS / "etcd.log").read_text(errors="replace"))
    with step("kube-apiserver"):
        running.start("kube-apiserver", *apiserver())
        running.wait("the API server", 120, api_is_ready)
    running.start("kube-controller-manager", *controllers())
    running.start("kube-scheduler", "--kubeconfig", access.of("scheduler"), "--leader-elect=false")
    running.start("kubelet", *kubelet())
    running.start("kube-proxy", "--config", place.CONFIG / "proxy.json")
    running.kubectl("apply", "--server-side", "-f", "-", text=manifests.as_text(manifests.cluster_dns()))
    running.start("coredns", "-conf", place.CONFIG / "Corefile")
    return running


def etcd():
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return [
        *("--data-dir", "/var/lib/etcd", "--name", "one", "--initial-cluster", f"one={peer}"),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
    ]


def apiserver():
    pki = place.PKI
    return [
        "--etcd-servers=http://127.0.0.1:2379",
        f"--bind-address={place.THERE}",
        f"--advertise-address={place.THERE}",
        f"--service-cluster-ip-range={place.SERVICES}",
        f"--token-auth-file={access.TOKENS}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/server.crt",
        f"--tls-private-key-file={pki}/server.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={pki}/client.crt",
        f"--kubelet-client-key={pki}/client.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/accounts.pub",
        f"--service-account-signing-key-file={pki}/accounts.key",
        f"--audit-policy-file={place.CONFIG}/audit.json",
        f"--audit-log-path={place.AUDIT}",
    ]


def controllers():
    return [
        f"--kubeconfig={access.of('controllers')}",
        "--leader-elect=false",
        # Each controller with the rights of its own role.
        "--use-service-account-credentials",
        f"--root-ca-file={place.PKI}/ca.crt",
        f"--service-account-private-key-file={place.PKI}/accounts.key",
        # Its part of the cluster's addresses is in the configuration of the pods' network.
        "--allocate-node-cidrs=false",
    ]


def kubelet():
    return [
        f"--config={place.CONFIG}/kubelet.json",
        f"--kubeconfig={access.of('kubelet')}",
        f"--hostname-override={place.NODE}",
        f"--node-ip={place.THERE}",
    ]


def is_called(pid, program):
    """Whether a process is one of these, and not what started it."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    name = Path(words[0]).name
    return program == (words[1] if name == "kubernetes" else name)


def containerd_answers():
    try:
        space.run("ctr", "--address", place.CONTAINERD, "version")
    except Failed:
        return False
    return True


def api_is_ready():
    trust = ssl.create_default_context(cafile=place.PKI / "ca.crt")
    return answers(f"{place.SERVER}/readyz", trust)


def dns_is_ready():
    return answers(f"http://{place.THERE}:8181/ready")


def answers(url, trust=None):
    """Whether there is a good answer, here and now; proxies of this machine have no part in it."""
    handlers = [urllib.request.ProxyHandler({})]
    if trust:
        handlers.append(urllib.request.HTTPSHandler(context=trust))
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, socket.timeout):
        return False
