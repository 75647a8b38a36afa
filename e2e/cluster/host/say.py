"""What a person sees meanwhile."""

import contextlib
import sys
import time


class Failed(Exception):
    """Says what went wrong and, where it is known, what to do."""


@contextlib.contextmanager
def step(name):
    """Says what is going on, and how long it took."""
    began = time.monotonic()
    if sys.stdout.isatty():
        print(f"  … {name}", end="\r", flush=True)
    yield
    print(f"  {name:<40} {time.monotonic() - began:6.1f} s", flush=True)


def wait(what, seconds, holds, alive=lambda: None):
    """Asks `holds` until it does; `alive` raises when there is no use in waiting on."""
    end = time.monotonic() + seconds
    while True:
        alive()
        if holds():
            return
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.1)
