"""The three ways to a cluster."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import host
import kind
import ours
from host import configs, place
from host.say import Failed, step

HERE = Path(__file__).resolve().parent


class Unavailable(Exception):
    """There cannot be such a cluster here, and why."""


def chosen():
    """The way that E2E_CLUSTER names, or that suits this machine."""
    ways = {way.name: way for way in (Host, Kind, Existing)}
    name = os.environ.get("E2E_CLUSTER") or ("kind" if docker_answers() else "host")
    if name not in ways:
        sys.exit(f"E2E_CLUSTER={name}: there are {', '.join(ways)}")
    return ways[name]()


def docker_answers():
    """Whether there are Docker and kind."""
    programs = shutil.which("docker") and shutil.which("kind")
    return bool(programs) and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@cache
def script(name):
    """Runs a script that makes something ready and prints where it is; the last that it complains of is why not."""
    last = f"{name} failed"
    with subprocess.Popen([HERE / name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            last = line.strip()
        where = run.stdout.read().strip()
    if run.returncode != 0:
        raise Unavailable(last)
    return Path(where)


class Way:
    """What all three have."""

    def tools(self):
        """The folder with kubectl and helm."""
        return script("tools.sh")

    def check(self):
        """Says if there cannot be one here, before anything is done."""

    def locked(self):
        """Keeps others from the cluster meanwhile."""
        return contextlib.nullcontext()

    def stay(self):
        """It is to stay when tests are over."""

    def stays(self):
        """Whether there is one that is to stay."""
        return False

    def signal(self, program, name):
        """Sends a signal to one of the node's programs."""
        raise Unavailable("signals cannot be sent to the programs of an existing cluster")

    def keep_logs(self):
        """Saves what a failed run is understood by."""

    def environment(self):
        """What the tests are told besides."""
        return {}


class Host(Way):
    """On this machine, as `host/` has it."""

    name = "host"

    def check(self):
        if platform.system() != "Linux" or os.geteuid() != 0:
            raise Unavailable("without Docker and kind it takes Linux and root")

    def up(self):
        needed = ["etcd", "containerd", "runc", "/usr/lib/cni/ptp", "iptables", "ip", "openssl", "unshare"]
        if subprocess.run(["bash", ours.ROOT / ".ci/need", *needed], check=False).returncode != 0:
            raise Unavailable("programs are missing, see above")
        kubernetes = script("kubernetes/build.sh")
        kubectl = self.tools() / "kubectl"
        pause = ours.ARCHIVES / "pause.tar"
        ours.archive.build(kubernetes / "pause", [configs.PAUSE], pause)
        host.up(kubernetes, kubectl, [pause])

    def load(self, images):
        host.load(images())

    def down(self):
        host.down()

    def kubeconfig(self):
        return place.KUBECONFIG

    def locked(self):
        return host.locked()

    def stay(self):
        host.stay()

    def stays(self):
        return host.stays()

    def signal(self, program, name):
        host.signal(program, name)

    def keep_logs(self):
        host.keep_logs()

    def environment(self):
        # A cache that outlives the cluster tells the next one's kubectl what is not there.
        return {"E2E_AUDIT": str(place.AUDIT), "KUBECACHEDIR": str(place.DIR / "kubectl")}


class Kind(Way):
    """In a container of Docker's."""

    name = "kind"
    cluster = "blue-origin-e2e"

    def check(self):
        if not docker_answers():
            raise Unavailable("Docker or kind is not there, or does not answer")

    def up(self):
        self.down()
        kind.make()
        image = os.environ.get("E2E_KIND_IMAGE")
        options = ["--config", kind.CONFIG, "--wait", "120s", *(["--image", image] if image else [])]
        with step("kind"):
            self.kind("create", "cluster", "--kubeconfig", self.kubeconfig(), *options)

    def load(self, images):
        for archive in images():
            with step(f"image {archive.stem}"):
                self.kind("load", "image-archive", archive)

    def down(self):
        self.kind("delete", "cluster", "--kubeconfig", self.kubeconfig())
        kind.remove()

    def kubeconfig(self):
        return ours.ROOT / "target/kind.kubeconfig"

    def stay(self):
        kind.STAYS.touch()

    def stays(self):
        listed = subprocess.run(["kind", "get", "clusters"], capture_output=True, text=True, check=False)
        return kind.STAYS.exists() and self.cluster in listed.stdout.split()

    def signal(self, program, name):
        run(["docker", "exec", f"{self.cluster}-control-plane", "pkill", f"-{name}", "-x", program])

    def keep_logs(self):
        self.kind("export", "logs", ours.ROOT / "target/kind-logs")

    def environment(self):
        return kind.environment()

    def kind(self, *arguments):
        run(["kind", "--quiet", *[str(a) for a in arguments], "--name", self.cluster])


def run(command):
    """Runs a command; if it fails, what it complained of is why."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")


class Existing(Way):
    """The one that the current kubeconfig speaks of; it is left as it was, but for what tests leave in it."""

    name = "existing"

    def check(self):
        if "E2E_IMAGES" not in os.environ:
            raise Unavailable("E2E_IMAGES must name the registry that has our images, such as registry.example.com/cdn")
        context = self.kubectl("config", "current-context")
        if os.environ.get("E2E_YES") != context:
            if not sys.stdin.isatty():
                raise Unavailable(f"to use the cluster {context} without being asked, set E2E_YES={context}")
            if input(f"Run the tests, which install things and break some, in the cluster {context}? [yes/no] ") != "yes":
                raise Unavailable("you said no")

    def up(self):
        """It is."""

    def load(self, _):
        print(f"images are taken from {ours.REGISTRY}, as they are there")

    def down(self):
        """It stays."""

    def kubeconfig(self):
        return os.environ.get("KUBECONFIG") or Path.home() / ".kube/config"

    def kubectl(self, *arguments):
        done = subprocess.run([self.tools() / "kubectl", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(done.stderr.strip())
        return done.stdout.strip()
