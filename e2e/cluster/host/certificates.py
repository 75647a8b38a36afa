"""An authority of the cluster's own, and who it vouches for."""

import subprocess

from . import place
from .say import Failed

NAMES = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
ADDRESSES = [place.THERE, place.API, "127.0.0.1"]


def make():
    """Writes `ca`, `server` (the API server's), `client` (what it shows to the kubelet) and `accounts` (what it signs
    the tokens of service accounts with) into the folder of keys."""
    openssl("req", "-x509", *key("ca"), "-days", "2", "-subj", "/CN=blue-origin-cluster", "-out", "ca.crt")
    alternatives = ",".join([f"DNS:{n}" for n in NAMES] + [f"IP:{a}" for a in ADDRESSES])
    issue("server", "/CN=kube-apiserver", "serverAuth", alternatives)
    issue("client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth", "DNS:kube-apiserver")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "accounts.key")
    openssl("pkey", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")


def issue(name, subject, use, alternatives):
    openssl("req", *key(name), "-subj", subject, "-out", f"{name}.csr")
    extensions = f"extendedKeyUsage={use}\nsubjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n"
    (place.PKI / f"{name}.ext").write_text(extensions)
    signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext"]
    openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.crt")


def key(name):
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    return [*curve, "-nodes", "-keyout", f"{name}.key"]


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], cwd=place.PKI, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"openssl {arguments[0]}: {done.stderr.strip()}")
