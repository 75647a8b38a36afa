"""A peer on the stage: configured in a folder of its own, started, checked, and cleared away."""

import contextlib
import http.client
import shutil
import tempfile
from pathlib import Path

import machine
from origin import HOST
from process import Failed, Process, free_port


class Stage:
    """The folder, the origin and whichever peer runs at the moment."""

    def __init__(self, home, origin):
        self.home, self.origin = home, origin

    @contextlib.contextmanager
    def running(self, peer, objects=0):
        """Runs `peer` with an empty cache that holds `objects` small objects; stops it at the end."""
        home = Path(tempfile.mkdtemp(prefix=f"{peer.name}-", dir=self.home))
        port = free_port()
        try:
            argv, env = peer.prepare(home, port, self.origin.port, objects)
            with Process(peer.label, argv, machine.SERVER_CORE, home, env) as server:
                server.wait_for_port(port)
                server.port, server.home = port, home
                yield server
        finally:
            shutil.rmtree(home, ignore_errors=True)

    @contextlib.contextmanager
    def hits_only(self, peer, what):
        """Fails if a single request reached the origin meanwhile: then a figure was not one of hits."""
        before = self.origin.requests()
        yield
        through = self.origin.requests() - before
        if through:
            raise Failed(f"{peer.label}: {through} requests for {what} were not hits but went to the origin")


def get(port, path):
    """One request; gives the body of a 200."""
    return ask(port, path)[1]


def own_bytes(port, path):
    """What one object is in itself: its URL, the fields that an origin on `port` sends with it, its body."""
    fields, body = ask(port, path)
    hop_by_hop = {"connection", "keep-alive", "transfer-encoding"}
    lines = [f"{name}: {value}\r\n" for name, value in fields if name.lower() not in hop_by_hop]
    return len(f"http://{HOST}{path}") + sum(map(len, lines)) + len(body)


def ask(port, path):
    """One request; gives the fields and the body of a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": HOST})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"GET {path} on port {port}: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise Failed(f"GET {path} on port {port} was answered {answer.status}: {body[:200]!r}")
    return answer.getheaders(), body
