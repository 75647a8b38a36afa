"""What the cluster gets of this repository: images of its programs, and the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from host.say import Failed, step

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "target/debug"
ARCHIVES = ROOT / "target/images"

REGISTRY = os.environ.get("E2E_IMAGES", "blue-origin.test")
TAG = os.environ.get("E2E_TAG", "e2e")

# Package and program. Who is not there yet is left out.
PROGRAMS = [("edge", "edge"), ("shield", "shield"), ("geodns", "geodns"), ("operator", "operator"), ("e2e", "stage")]

# Of others, as this machine has them: images that a user's cluster takes from a registry.
OTHERS = ["redis-server"]

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
    return [image(program, f"{REGISTRY}/{program.name}:{TAG}") for program in programs]


def image(program, tag):
    """The archive of a program's image, made anew when the program is newer."""
    path = ARCHIVES / f"{program.name}.tar"
    if not path.exists() or path.stat().st_mtime <= program.stat().st_mtime:
        archive.build(program, tag, path)
    return path


def tests(way, more):
    """Runs the tests; what they need to know is in their environment."""
    told = {
        "KUBECONFIG": str(way.kubeconfig()),
        "PATH": f"{way.tools()}:{os.environ['PATH']}",
        "E2E_CLUSTER": way.name,
        "E2E_IMAGES": REGISTRY,
        "E2E_TAG": TAG,
        **way.environment(),
    }
    command = ["cargo", "test", "--locked", "-p", "e2e", "--test", "cluster", "--", "--ignored", "--nocapture", *more]
    return subprocess.run(command, cwd=ROOT, env=os.environ | told, check=False).returncode


def run(command):
    """Runs a command of the repository; what it says goes to the terminal."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Failed(f"{' '.join(command)}: see above")
