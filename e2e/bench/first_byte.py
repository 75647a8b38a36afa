"""What a miss costs: time to the first byte through a cache, against going to the origin directly."""

import os
import socket
import time
from statistics import median

import machine
from origin import HOST, SMALL
from process import Failed


def measure(stage, peers, requests):
    """Pairs of one direct and one uncached request, in turn, over connections that stay open."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    try:
        figures = {peer.name: one(stage, peer, requests) for peer in peers}
    finally:
        os.sched_setaffinity(0, allowed)
    return {"requests": requests, "peers": figures}


def one(stage, peer, requests):
    direct, through = [], []
    with stage.running(peer, requests) as server:
        with Client(stage.origin.port) as straight, Client(server.port) as cached:
            for n in range(50):
                straight.first_byte(f"/small/warm-{n}")
                cached.first_byte(f"/small/warm-{n}")
            asked = stage.origin.requests()
            for n in range(requests):
                direct.append(straight.first_byte(f"/small/miss-{n}"))
                through.append(cached.first_byte(f"/small/miss-{n}"))
            seen = stage.origin.requests() - asked
    if seen < 2 * requests:
        raise Failed(f"{peer.label}: {2 * requests - seen} of {requests} requests were no misses")
    added = median(b - a for a, b in zip(direct, through))
    print(f"  {peer.label:15} direct {median(direct) * 1e6:.0f} µs, a miss adds {added * 1e6:.0f} µs", flush=True)
    return {
        "direct_us": round(median(direct) * 1e6, 1),
        "miss_us": round(median(through) * 1e6, 1),
        "added_us": round(added * 1e6, 1),
    }


class Client:
    """One connection that asks for small objects and times the first byte of the answer."""

    def __init__(self, port):
        self._peer = f"port {port}"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def first_byte(self, path):
        question = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        start = time.perf_counter()
        self._socket.sendall(question)
        answer = self._socket.recv(65536)
        elapsed = time.perf_counter() - start
        while answer.count(b"\r\n\r\n") == 0 or not self._complete(answer):
            more = self._socket.recv(65536)
            if not more:
                raise Failed(f"the connection to {self._peer} was closed within an answer to {path}")
            answer += more
        if not answer.startswith(b"HTTP/1.1 200"):
            raise Failed(f"{self._peer} answered {path} with {answer[:60]!r}")
        return elapsed

    @staticmethod
    def _complete(answer):
        """The body of these objects is known, so that chunked and counted answers end alike."""
        body = answer.partition(b"\r\n\r\n")[2]
        chunked = b"transfer-encoding: chunked" in answer.lower()
        return body.endswith(b"0\r\n\r\n") if chunked else len(body) >= SMALL
