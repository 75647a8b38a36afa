#!/usr/bin/env python3
"""A thousand resources for one operator: how soon they are reconciled, what they cost it afterwards, and how soon a purge
is complete meanwhile.

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
import threading
import time
import urllib.request
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
SOON, CORE, MEMORY, PURGED = 30, 0.01, 64, 1
# Edges that acknowledge the purges that are timed.
EDGES = 10
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
    parser.add_argument("--purges", type=int, default=200, help="that are given one after another, and timed")
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

    @contextlib.contextmanager
    def completions(self):
        """Gives a function that waits until a purge is complete and gives the time at which it was seen."""
        seen, news = {}, threading.Condition()
        path = f"/apis/{API}/namespaces/{NAMESPACE}/purgerequests?watch=1"
        with subprocess.Popen([*self.program, "get", "--raw", path], stdout=subprocess.PIPE, text=True) as watch:

            def read():
                for line in watch.stdout:
                    one = json.loads(line)["object"]
                    if one.get("status", {}).get("phase") == "Complete":
                        with news:
                            seen.setdefault(one["metadata"]["name"], time.monotonic())
                            news.notify_all()

            reader = threading.Thread(target=read, daemon=True)
            reader.start()

            def wait_for(name):
                with news:
                    if not news.wait_for(lambda: name in seen, timeout=30):
                        raise Failed(f"{name} is not complete after 30 s")
                    return seen[name]

            try:
                yield wait_for
            finally:
                watch.terminate()


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


@contextlib.contextmanager
def edge(folder, log, program, name="outside"):
    """A node outside of the cluster: a purge is complete when a node says so. It is ready when it follows the log."""
    site = {"name": "a", "hosts": ["a.example"], "origins": [{"url": "http://127.0.0.1:9"}]}
    (folder / "edge.json").write_text(json.dumps({"format": 1, "version": "1", "pool": "outside", "sites": [site]}))
    admin = free_port()
    at = [f"--listen=127.0.0.1:{free_port()}", f"--admin=127.0.0.1:{admin}", "--threads=1"]

    def ready():
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=5):
            return True

    with running([program, "--config", folder / "edge.json", f"--name={name}", f"--log={log}", *at]):
        wait(f"the edge {name}", 30, ready)
        yield


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
        at_rest = {
            "memory": status(child.pid, "VmRSS"),
            "core": (cpu(child.pid) - ticks) / os.sysconf("SC_CLK_TCK") / rest,
            "idle_writes": sorted({what for _, what in writes_since(from_then)}),
        }
        with step(f"{options.purges} purges"):
            purged = purges(folder, log, options, kubectl)
        alive()
        return at_rest | {
            "seconds": reconciled_at - began,
            "spent": spent,
            "last": max(writes) - began,
            "writes": len(writes),
            "most": most,
            "purged": purged,
        }
    finally:
        child.terminate()
        child.wait()


def purges(folder, log, options, kubectl):
    """Seconds from `kubectl apply` to `Complete`, each with ten edges to be reached, sorted."""
    took = []
    with contextlib.ExitStack() as stack:
        for n in range(1, EDGES):
            stack.enter_context(edge(folder, log, options.edge, f"outside-{n}"))
        complete = stack.enter_context(kubectl.completions())
        for n in range(options.purges):
            name = f"timed-{n}"
            meta = {"name": name, "namespace": NAMESPACE}
            one = {"apiVersion": API, "kind": "PurgeRequest", "metadata": meta, "spec": {"tags": [f"tag-{n}"]}}
            began = time.monotonic()
            kubectl("apply", "-f", "-", text=json.dumps(one))
            took.append(complete(name) - began)
        last = next(one for one in kubectl.all("purgerequests") if one["metadata"]["name"] == name)
        if (nodes := len(last["status"]["nodes"])) != EDGES:
            raise Failed(f"{name} was to reach {EDGES} edges, not {nodes}")
    return sorted(took)


KINDS = {
    "banrules": ("Active", "Exhausted"),
    "purgerequests": ("Complete",),
    "originshields": ("Accepted",),
    "edgepools": ("Accepted",),
}


def undone(kubectl, kind):
    """Of whom the status does not say so; pods that run nowhere are never ready."""

    def says(one):
        status = one.get("status", {})
        holds = {c["type"] for c in status.get("conditions", []) if c["status"] == "True"}
        return not holds.isdisjoint(KINDS[kind]) or status.get("phase") in KINDS[kind]

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
    soon = figures["seconds"] < SOON and figures["core"] < CORE and p99(figures["purged"]) < PURGED
    return soon and figures["memory"] < MEMORY and not figures["idle_writes"]


def p99(ordered):
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def markdown(figures, options):
    p50 = figures["purged"][len(figures["purged"]) // 2]
    idle = ", ".join(figures["idle_writes"][:5]) or "none"
    return f"""# What a thousand resources cost the operator

Written by `make bench-operator`.

One `operator` and a Kubernetes of one node (`e2e/cluster`) with its API server, etcd and controllers, and a Redis, on one
machine: {machine.sentence(machine.describe())}.
Other work took {figures["others"]:.0%} of these cores just before the run.
{options.each} EdgePools of one place with one edge, every other one behind one of {options.each} OriginShields,
{options.each} PurgeRequests and {options.each} BanRules are there before the operator starts. Pods are made but find no
machine; one `edge` outside of the cluster acknowledges the purges. Then {len(figures["purged"])} more are given one after
another, with {EDGES} such edges to be reached.

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
| from `kubectl apply` of a purge until its `Complete` is seen, {EDGES} edges: p50 | {p50 * 1000:.0f} ms | |
| p99 | {p99(figures["purged"]) * 1000:.0f} ms | {PURGED} s |
"""


if __name__ == "__main__":
    main()
