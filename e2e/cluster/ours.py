"""What the cluster gets of this repository: images of its programs, and the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import former
from host.say import Failed, step

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "target/debug"
ARCHIVES = ROOT / "target/images"

REGISTRY = os.environ.get("E2E_IMAGES", "blue-origin.test")
TAG = os.environ.get("E2E_TAG", "e2e")
# Those of the commit before this one.
FORMER_TAG = os.environ.get("E2E_FORMER_TAG", f"{TAG}-former")

# Package and program. Who is not there yet is left out.
PROGRAMS = [("edge", "edge"), ("shield", "shield"), ("geodns", "geodns"), ("operator", "operator"), ("e2e", "stage")]

# Of others, as this machine has them: images that a user's cluster takes from a registry.
OTHERS = ["redis-server"]

# In this order: the first begins where there is nothing, and leaves nothing.
SUITES = ["life", "cluster"]

sys.path.insert(0, str(ROOT / "images"))
import archive  # noqa: E402


def images():
    """Builds the programs and an archive of each one's image; returns their paths."""
    there = [(package, program) for package, program in PROGRAMS if (ROOT / package).is_dir()]
    with step("our programs"):
        wanted = [part for package, program in there for part in ("-p", package, "--bin", program)]
        run(["cargo", "build", "--quiet", "--locked", *wanted])
    others = [Path(path) for path in map(shutil.which, OTHERS) if path]
    programs = [BUILT / program for _, program in there] + others
    return [image(program, TAG) for program in programs] + former_images()


def former_images():
    """The same of the former commit's; none, and its reason in capitals, if there is no such commit."""
    try:
        tree = former.check_out(ROOT)
        with step(f"the programs of {tree.with_name('commit').read_text()[:7]}"):
            programs = former.programs(ROOT, tree, [what for what in PROGRAMS if what[0] != "e2e"])
    except former.Unknown as reason:
        print(f"THERE IS NO FORMER COMMIT TO UPGRADE FROM: {str(reason).upper()}", flush=True)
        return []
    return [image(program, FORMER_TAG) for program in programs]


def former_chart(way):
    """What the tests are told of the former commit's chart, if there are images for it."""
    try:
        chart = former.check_out(ROOT) / "charts/blue-origin"
    except former.Unknown:
        return {}
    has_images = "E2E_FORMER_TAG" in os.environ if way.name == "existing" else former.is_built(ROOT)
    return {"E2E_FORMER_TAG": FORMER_TAG, "E2E_FORMER_CHART": str(chart)} if has_images else {}


def image(program, tag):
    """The archive of a program's image, made anew when the program is newer."""
    path = ARCHIVES / f"{program.name}-{tag}.tar"
    if not path.exists() or path.stat().st_mtime <= program.stat().st_mtime:
        archive.build(program, [f"{REGISTRY}/{program.name}:{tag}"], path)
    return path


def tests(way, more):
    """Runs the tests, the life of an installation first; what they need to know is in their environment."""
    told = {
        "KUBECONFIG": str(way.kubeconfig()),
        "PATH": f"{way.tools()}:{os.environ['PATH']}",
        "E2E_CLUSTER": way.name,
        "E2E_IMAGES": REGISTRY,
        "E2E_TAG": TAG,
        **former_chart(way),
        **way.environment(),
    }
    environment = os.environ | told
    definitions = ["-f", str(ROOT / "crds/crd"), "--ignore-not-found", "--output=name"]
    there = subprocess.run(["kubectl", "get", *definitions], env=environment, capture_output=True, text=True, check=False)
    if there.returncode != 0 or there.stdout:
        raise Failed(
            "the tests install Blue Origin, and want a cluster that has nothing of it; `kubectl delete -f crds/crd` takes "
            f"the definitions away, and all that was made of them: {there.stdout or there.stderr}"
        )
    try:
        codes = [
            subprocess.run(
                ["cargo", "test", "--locked", "-p", "e2e", "--test", suite, "--", "--ignored", "--nocapture", *more],
                cwd=ROOT,
                env=environment,
                check=False,
            ).returncode
            for suite in SUITES
        ]
    finally:
        if "E2E_KEEP" not in os.environ:
            away = ["kubectl", "delete", "--timeout=60s", *definitions]
            subprocess.run(away, env=environment, stdout=subprocess.DEVNULL, check=False)
    return max(codes)


def run(command):
    """Runs a command of the repository; what it says goes to the terminal."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Failed(f"{' '.join(command)}: see above")
