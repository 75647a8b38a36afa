"""A real Kubernetes for tests and for people: python3 e2e/cluster COMMAND.

    up      gets a cluster with our images and says where its kubeconfig is
    down    ends it
    images  builds our programs and their images anew and gives them to the cluster
    test    the tests of e2e/tests/cluster, on the cluster that `up` made or on one of their own; further arguments
            go to the tests
    signal  sends a program of the node a signal: signal kubelet STOP

E2E_CLUSTER says which: `host` (this machine, as root), `kind` (in Docker) or `existing` (that of the current kubeconfig,
with images from the registry E2E_IMAGES). Without it: kind where Docker answers, this machine elsewhere.
"""

import os
import signal as stop
import sys

import ours
import ways
from host.say import Failed
from ways import Unavailable


def main():
    command, *more = sys.argv[1:] or ["help"]
    commands = {"up": up, "down": down, "images": images, "test": test, "signal": signal}
    if command not in commands:
        sys.exit(__doc__)
    # What is to go must go also when the terminal or a time limit says so.
    stop.signal(stop.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        way = ways.chosen()
        way.check()
        sys.exit(commands[command](way, *more))
    except Unavailable as reason:
        # Whoever asked for a certain cluster wants it; anybody else hears it in the last lines, and cannot miss it.
        if command != "test" or "E2E_CLUSTER" in os.environ:
            sys.exit(f"no cluster: {reason}")
        print(f"\nTHE CLUSTER TESTS WERE SKIPPED: {str(reason).upper()}", flush=True)
    except Failed as reason:
        sys.exit(f"failed: {reason}")


def up(way):
    with way.locked():
        way.up()
        way.load(ours.images)
        way.stay()
    print(f"export KUBECONFIG={way.kubeconfig()}\nexport PATH={way.tools()}:$PATH", flush=True)


def down(way):
    with way.locked():
        way.down()


def images(way):
    way.load(ours.images)


def signal(way, program, name):
    way.signal(program, name)


def come_up(way):
    try:
        way.up()
    except Failed as reason:
        keep_logs(way)
        raise Unavailable(f"the cluster did not come up: {reason}") from reason


def keep_logs(way):
    # What went wrong first is what matters.
    try:
        way.keep_logs()
    except Failed as reason:
        print(f"logs cannot be kept: {reason}", flush=True)


def test(way, *more):
    with way.locked():
        if way.stays():
            print("the tests use the cluster that is there; make cluster-down ends it", flush=True)
            way.load(ours.images)
            return ours.tests(way, more)
        try:
            come_up(way)
            way.load(ours.images)
            code = ours.tests(way, more)
            if code != 0:
                keep_logs(way)
            return code
        finally:
            if "E2E_KEEP" not in os.environ:
                way.down()


if __name__ == "__main__":
    main()
