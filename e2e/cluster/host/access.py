"""Who may speak to the API server as whom: a token for each."""

import base64
import json
import secrets

from . import place

# Each of the cluster's own programs is bound to its built-in role by its name or group.
USERS = {
    "admin": ("admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{place.NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    "dns": ("system:coredns", ""),
}
TOKENS = place.CONFIG / "tokens.csv"


def make():
    """Writes the list of tokens, a kubeconfig for each program, and the administrator's where people look for it."""
    lines = []
    for name, (user, group) in USERS.items():
        token = secrets.token_hex(32)
        lines.append(f'{token},{user},{name},"{group}"\n')
        path = place.KUBECONFIG if name == "admin" else of(name)
        path.write_text(json.dumps(kubeconfig(user, token), indent=1))
        path.chmod(0o600)
    TOKENS.write_text("".join(lines))


def of(name):
    """The path of a program's kubeconfig."""
    return place.CONFIG / f"{name}.kubeconfig"


def kubeconfig(user, token):
    authority = base64.b64encode((place.PKI / "ca.crt").read_bytes()).decode()
    name = "blue-origin"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": place.SERVER, "certificate-authority-data": authority}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
