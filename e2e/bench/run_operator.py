#!/usr/bin/env python3
"""A thousand resources for one operator: how soon they are reconciled, and what they cost it afterwards.

On a Kubernetes of its own on this machine (e2e/cluster, E2E_CLUSTER_NUMBER, 9 without), with the chart's rights. Pods are
made but run nowhere, so that what is measured is the operator and the API server, not a thousand edges.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("E2E_CLUSTER_NUMBER", "9")
sys.path.insert(0, str(ROOT / "e2e/cluster"))

import machine  # noqa: E402
import ways  # noqa: E402
from host import access, place  # noqa: E402
from host.say import Failed, step, wait  # noqa: E402
from process import free_port  # noqa: E402

DOCS = ROOT / "docs/benchmarks-operator.md"
OPERATOR, EDGE = ROOT / "target/release/operator", ROOT / "target/release/edge"
NAMESPACE = "bench"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:blue-origin-operator"
API = "cdn.blueorigin.dev/v1alpha1"
# What is promised.
SOON, CORE, MEMORY = 30, 0.01, 64
LONGEST = 300


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))  # unwinds, so that all we started ends
    if not OPERATOR.exists() or not options.edge.exists():
        sys.exit("bench: cargo build --release -p operator -p edge first")
    way = ways.Host()
    try:
        way.check()
        with way.locked():
            others = machine.other_load()
            try:
                way.up()
                figures = measure(way, options)
            finally:
                way.down()
    except (Failed, machine.Missing, ways.Unavailable, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
    page = markdown(figures | {"others": others}, options)
    print("\n" + page)
    if options.write:
        DOCS.write_text(page)
    sys.exit(0 if kept(figures) else "bench: the promise is not kept")


def arguments():
    parser = argparse.ArgumentParser(prog="e2e/bench/run_operator.py", description=__doc__)
    parser.add_argument("--each", type=int, default=250, metavar="NUMBER", help="resources of each of the four kinds")
    parser.add_argument("--seconds", type=int, default=120, help="of rest that are looked at")
    parser.add_argument("--edge", type=Path, default=EDGE, metavar="FILE", help="the program that acknowledges purges")
    parser.add_argument("--write", action="store_true", help="the page goes to docs/")
    return parser.parse_args()


def measure(way, options):
    kubectl = Kubectl(way)
    with tempfile.TemporaryDirectory(prefix="bench-operator-") as folder:
        folder = Path(folder)
        with step("definitions and rights"):
            kubectl("apply", "--server-side", "-f", ROOT / "crds/crd")
            kubectl("create", "namespace", NAMESPACE)
            kubectl("apply", "--namespace", NAMESPACE, "-f", "-", text=rights(way))
            kubectl("create", "configmap", "zones", "--namespace", NAMESPACE)
            kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        with step(f"{4 * options.each} resources"):
            for of_kind in resources(options.each):
                kubectl("create", "-f", "-", text=json.dumps(of_kind))
        token = kubectl("create", "token", "--namespace", NAMESPACE, "blue-origin-operator", "--duration=2h").strip()
        (folder / "kubeconfig").write_text(json.dumps(access.kubeconfig(ACCOUNT, token)))
        with redis(folder) as log, edge(folder, log, options.edge):
            return watch(folder, log, options, kubectl)


class Kubectl:
    """As administrator, whom the audit log leaves out."""

    def __init__(self, way):
        self.program = [way.tools() / "kubectl", "--kubeconfig", way.kubeconfig()]

    def __call__(self, *arguments, text=None):
        ran = subprocess.run([*self.program, *arguments], input=text, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise Failed(f"kubectl {arguments[0]}: {ran.stderr.strip()}")
        return ran.stdout

    def all(self, kind):
        return json.loads(self("get", "--raw", f"/apis/{API}/{kind}"))["items"]


def rights(way):
    """What the chart gives the operator, and no more."""
    chart = [way.tools() / "helm", "template", "blue-origin", ROOT / "charts/blue-origin", "--namespace", NAMESPACE]
    shown = ["--show-only", "templates/operator/rights.yaml"]
    text = subprocess.run([*chart, *shown], capture_output=True, text=True, check=True).stdout
    return text.replace("blue-origin-zones", "zones")


def resources(each):
    """`each` of four kinds, every other pool behind a shield. Few pods and Services: the cluster's own controllers make
    twenty a second at most, and it has 254 addresses for Services."""
    nowhere = {"nodeSelector": {"bench": "nowhere"}}

    def every(kind, spec):
        def one(n):
            meta = {"name": f"{kind.lower()}-{n}", "namespace": NAMESPACE}
            return {"apiVersion": API, "kind": kind, "metadata": meta, "spec": spec(n)}

        return {"apiVersion": "v1", "kind": "List", "items": [one(n) for n in range(each)]}

    def pool(n):
        origins = {"origins": [{"url": "http://origin.example"}]}
        way = {"shield": {"name": f"originshield-{n}"}} if n % 2 else origins
        pops = [{"name": "fra", "addresses": [f"198.51.{n % 250}.1"]}]
        return {"pops": pops, "pods": nowhere, "sites": [{"hosts": [host(n), f"*.{host(n)}"], **way}]}

    yield every("OriginShield", lambda n: {"replicas": 0, "pods": nowhere, "origins": [{"url": "http://origin.example"}]})
    yield every("EdgePool", pool)
    yield every("PurgeRequest", lambda n: {"urls": [f"https://{host(n)}/news"]})
    yield every("BanRule", lambda n: {"host": host(n), "path": {"glob": "/tagged/**"}, "ttl": "2h"})


def host(n):
    return f"host-{n}.example.com"


@contextlib.contextmanager
def redis(folder):
    """The invalidation log; gives its URL."""
    port = free_port()
    name = shutil.which("redis-server") or machine.require("redis-server", "redis-server")
    with running([name, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]):
        yield f"redis://127.0.0.1:{port}"


def edge(folder, log, program):
    """A node outside of the cluster: a purge is complete when a node says so."""
    site = {"name": "a", "hosts": ["a.example"], "origins": [{"url": "http://127.0.0.1:9"}]}
    (folder / "edge.json").write_text(json.dumps({"format": 1, "version": "1", "pool": "outside", "sites": [site]}))
    at = [f"--listen=127.0.0.1:{free_port()}", f"--admin=127.0.0.1:{free_port()}"]
    return running([program, "--config", folder / "edge.json", "--name=outside", f"--log={log}", *at])


@contextlib.contextmanager
def running(command):
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield
        finally:
            child.terminate()


def watch(folder, log, options, kubectl):
    """Starts the operator, waits until all is done, and then for what it does when nothing is left to do."""
    (folder / "authority.yaml").write_text("nameServer: {name: ns.example.net}\n")
    arguments = [
        *("--edge-image=edge", "--shield-image=shield", f"--namespace={NAMESPACE}", f"--admin=127.0.0.1:{free_port()}"),
        *(f"--log={log}", "--zones-configmap=zones", f"--authority={folder / 'authority.yaml'}"),
    ]
    environment = os.environ | {"KUBECONFIG": str(folder / "kubeconfig")}
    with (folder / "operator.log").open("wb") as output:
        began = time.time()
        child = subprocess.Popen([OPERATOR, *arguments], env=environment, stdout=output, stderr=output)
    try:

        def alive():
            if child.poll() is not None:
                said = (folder / "operator.log").read_text(errors="replace").splitlines()[-5:]
                raise Failed("the operator ended: " + "\n".join(said))

        with step("all reconciled"):
            reconciled(kubectl, alive)
        reconciled_at, spent = time.time(), cpu(child.pid) / os.sysconf("SC_CLK_TCK")
        quiet(alive)
        writes = [at for at, _ in writes_since(began)]
        most = status(child.pid, "VmHWM")
        from_then, ticks = time.time(), cpu(child.pid)
        with step(f"{options.seconds} s of rest"):
            time.sleep(options.seconds)
        alive()
        rest = time.time() - from_then
        return {
            "seconds": reconciled_at - began,
            "spent": spent,
            "last": max(writes) - began,
            "writes": len(writes),
            "most": most,
            "memory": status(child.pid, "VmRSS"),
            "core": (cpu(child.pid) - ticks) / os.sysconf("SC_CLK_TCK") / rest,
            "idle_writes": sorted({what for _, what in writes_since(from_then)}),
        }
    finally:
        child.terminate()
        child.wait()


KINDS = {
    "banrules": ("Active", "True"),
    "purgerequests": ("Complete", "True"),
    "originshields": ("Accepted", "True"),
    "edgepools": ("Accepted", "True"),
}


def undone(kubectl, kind):
    """Of whom the status does not say so; pods that run nowhere are never ready."""
    type_, wanted = KINDS[kind]

    def says(one):
        conditions = one.get("status", {}).get("conditions", [])
        return any(c["type"] == type_ and c["status"] == wanted for c in conditions)

    return [one for one in kubectl.all(kind) if not says(one)]


def reconciled(kubectl, alive):
    """Waits until all are done, or says what of one that is not."""
    end = time.monotonic() + LONGEST
    for kind in KINDS:
        while left := undone(kubectl, kind):
            alive()
            if time.monotonic() > end:
                raise Failed(f"{len(left)} {kind} not within {LONGEST} s; one says {left[0].get('status')}")
            time.sleep(1)


def quiet(alive):
    """Until nothing was written for ten seconds."""

    with step("nothing more to write"):
        end = time.monotonic() + LONGEST
        while last := writes_since(time.time() - 10):
            alive()
            if time.monotonic() > end:
                raise Failed(f"there is no rest: {len(last)} writes in 10 s, such as {last[-1][1]}")
            time.sleep(1)


def writes_since(began):
    """What the API server says that the operator wrote but its lease: when, and what."""
    writes = []
    for line in place.AUDIT.read_text().splitlines():
        if ACCOUNT not in line:
            continue
        entry = json.loads(line)
        what = entry.get("objectRef", {})
        if entry["verb"] in ("get", "list", "watch") or what.get("resource") == "leases":
            continue
        at = datetime.fromisoformat(entry["stageTimestamp"].replace("Z", "+00:00")).timestamp()
        if at >= began:
            writes.append((at, f"{entry['verb']} {what.get('resource')}/{what.get('subresource', '')} {what.get('name')}"))
    return writes


def status(pid, field):
    """Of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":"))


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def kept(figures):
    soon = figures["seconds"] < SOON and figures["core"] < CORE
    return soon and figures["memory"] < MEMORY and not figures["idle_writes"]


def markdown(figures, options):
    idle = ", ".join(figures["idle_writes"][:5]) or "none"
    return f"""# What a thousand resources cost the operator

Written by `make bench-operator`.

One `operator` and a Kubernetes of one node (`e2e/cluster`) with its API server, etcd and controllers, and a Redis, on one
machine: {machine.sentence(machine.describe())}.
Other work took {figures["others"]:.0%} of these cores just before the run.
{options.each} EdgePools of one place with one edge, every other one behind one of {options.each} OriginShields,
{options.each} PurgeRequests and {options.each} BanRules are there before the operator starts. Pods are made but find no
machine; one `edge` outside of the cluster acknowledges the purges.

| | | promised |
| --- | ---: | ---: |
| from its start until all {4 * options.each} are accepted, purges complete and bans active | {figures["seconds"]:.0f} s | {SOON} s |
| of a core meanwhile | {figures["spent"]:.1f} s | |
| until its last write, when the cluster's controllers have made their part | {figures["last"]:.0f} s | |
| writes until then | {figures["writes"]:,} | |
| memory at most until then | {figures["most"]:.0f} MiB | |
| then, nothing changes for {options.seconds} s: memory | {figures["memory"]:.0f} MiB | {MEMORY} MiB |
| of a core | {figures["core"]:.2%} | {CORE:.0%} |
| writes in the API server's audit log but the lease's | {idle} | none |
"""


if __name__ == "__main__":
    main()
