"""A real Kubernetes for tests and for people: python3 e2e/cluster COMMAND.

    up      gets a cluster with our images and says where its kubeconfig is
    down    ends it
    images  builds our programs and their images anew and gives them to the cluster
    test    up, images, the tests of e2e/tests/cluster, down; further arguments go to the tests

E2E_CLUSTER says which: `host` (this machine, as root), `kind` (in Docker) or `existing` (that of the current kubeconfig,
with images from the registry E2E_IMAGES). Without it: kind where Docker answers, this machine elsewhere.
"""

import os
import subprocess
import sys

import ours
import ways
from host.say import Failed
from ways import Unavailable


def main():
    command, *more = sys.argv[1:] or ["help"]
    commands = {"up": up, "down": down, "images": images, "test": test}
    if command not in commands:
        sys.exit(__doc__)
    try:
        sys.exit(commands[command](*more))
    except Unavailable as reason:
        # Whoever asked for a certain cluster wants it; anybody else hears it in the last lines, and cannot miss it.
        if command != "test" or "E2E_CLUSTER" in os.environ:
            sys.exit(f"no cluster: {reason}")
        print(f"\nTHE CLUSTER TESTS WERE SKIPPED: {str(reason).upper()}", flush=True)
    except Failed as reason:
        sys.exit(f"failed: {reason}")


def up():
    way = ways.chosen()
    way.up()
    way.load(ours.images)
    print(f"export KUBECONFIG={way.kubeconfig()}\nexport PATH={way.tools()}:$PATH", flush=True)


def down():
    ways.chosen().down()


def images():
    ways.chosen().load(ours.images)


def test(*more):
    way = ways.chosen()
    try:
        way.up()
        way.load(ours.images)
        code = ours.tests(way, more)
        if code != 0:
            way.keep_logs()
        return code
    finally:
        if "E2E_KEEP" not in os.environ:
            way.down()


if __name__ == "__main__":
    main()
