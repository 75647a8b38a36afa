"""A load generator for large bodies, which it counts and never copies.

wrk reads 8 KiB at a time, and asks the kernel before each read whether there is more: at 10 MiB it uses up
its core before any server does, and then hits per second say how well a server happens to suit wrk. This
one lets the kernel discard a body (`MSG_TRUNC`, tcp(7)), so that the server's core is the limit.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOM = bytearray(1 << 20)
PATIENCE = 10


class Broken(Exception):
    """The server gave an answer that cannot be counted."""


class Client:
    """One connection that asks for the same URL over and over."""

    def __init__(self, address, request):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setblocking(False)
        self.request = request
        self.ask()

    def ask(self):
        self.began = time.perf_counter()
        self.head = b""
        self.left = None
        if self.socket.send(self.request) != len(self.request):
            raise Broken("the request did not fit into the socket")

    def readable(self):
        """Takes what there is; the seconds that the answer took, when it is complete."""
        if self.left is None:
            piece = self.socket.recv(4096)
            if not piece:
                raise Broken("closed in the head")
            self.head += piece
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return None
            self.left = length(head) - len(body)
        while self.left:
            try:
                taken = self.socket.recv_into(ROOM, min(self.left, len(ROOM)), socket.MSG_TRUNC)
            except BlockingIOError:
                return None
            if not taken:
                raise Broken(f"closed with {self.left} bytes to come")
            self.left -= taken
        return time.perf_counter() - self.began


def length(head):
    status, *fields = head.decode("latin-1").split("\r\n")
    if status.split(" ")[1] != "200":
        raise Broken(f"answered {status}")
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "content-length":
            return int(value)
    raise Broken("no Content-Length")


def run(url, connections, seconds):
    """Seconds of each complete answer within `seconds`, and how long that was."""
    parts = urlsplit(url)
    host = sys.argv[4] if len(sys.argv) > 4 else parts.netloc
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    ready = selectors.EpollSelector()
    start = time.perf_counter()
    for _ in range(connections):
        client = Client((parts.hostname, parts.port), request)
        ready.register(client.socket, selectors.EVENT_READ, client)
    took = []
    while (now := time.perf_counter()) < start + seconds:
        events = ready.select(PATIENCE)
        if not events:
            raise Broken(f"nothing came for {PATIENCE} s")
        for key, _ in events:
            if (answer := key.data.readable()) is not None:
                took.append(answer)
                key.data.ask()
    return took, now - start


def load(url, connections, seconds, host, core):
    """The same in a process of its own on `core`, as [`wrk.load`] reports it."""
    from process import Failed
    from wrk import Load

    command = ["taskset", "-c", str(core), sys.executable, __file__, url, str(connections), str(seconds), host]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if ran.returncode != 0:
        raise Failed(f"{Path(__file__).name}: {ran.stderr.strip().splitlines()[-1:]}")
    seen = json.loads(ran.stdout)
    return Load(seen["requests"], seen["seconds"], seen["p50"], seen["p99"])


def main():
    took, seconds = run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    took.sort()
    if not took:
        raise Broken("not one complete answer")
    at = lambda share: took[min(len(took) - 1, int(len(took) * share))]  # noqa: E731
    print(json.dumps({"requests": len(took), "seconds": seconds, "p50": at(0.5), "p99": at(0.99)}))


if __name__ == "__main__":
    main()
