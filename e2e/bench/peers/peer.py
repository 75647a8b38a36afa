"""What the benchmark needs to know of a cache."""

import re
import subprocess
from pathlib import Path

import machine


class Peer:
    """One cache server: how it is found, tuned and started."""

    name = ""  # as in `--only NAME`
    label = ""  # as in the report
    binary = ""
    package = ""
    version_args = ["-V"]

    def find(self):
        """The path of the installed server; raises `machine.Missing` with the remedy."""
        return machine.require(self.binary, self.package)

    def version(self):
        done = subprocess.run([self.find(), *self.version_args], capture_output=True, text=True)
        found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
        return found.group(0) if found else "unknown"

    def prepare(self, home: Path, port: int, origin: int, objects: int):
        """Writes the configuration into `home`; gives the command line and its environment.

        The server is to listen on `port` of 127.0.0.1, to cache what 127.0.0.1:`origin` says may be
        cached, and to hold `objects` small objects without evicting one.
        """
        raise NotImplementedError

    def stored(self, home: Path) -> int:
        """Bytes that the cache keeps outside its processes' memory (files on tmpfs)."""
        return 0


def bytes_on_disk(folder):
    """Allocated bytes below `folder`."""
    done = subprocess.run(["du", "-s", "--block-size=1", str(folder)], capture_output=True, text=True)
    return int(done.stdout.split()[0]) if done.returncode == 0 else 0
