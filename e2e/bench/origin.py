"""The origin behind every cache: nginx with three files, and a small body for any other path.

It counts the requests it gets. A cache that is asked and lets nothing through to here had a hit.
"""

import os
import urllib.request

import machine
from process import Process, free_port

FILES = {"1k": 1 << 10, "64k": 64 << 10, "10m": 10 << 20}
HOST = "bench.example.com"  # what everybody asks for, as a site has a name
SMALL = 100  # bytes of the body under /small/

CONFIG = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/temp;
    default_type application/octet-stream;
    add_header Cache-Control "max-age=86400";
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {home}/files;
        location /small/ {{
            add_header Cache-Control "max-age=86400";
            add_header ETag '"small"';
            return 200 "{small}";
        }}
    }}
    server {{
        listen 127.0.0.1:{status};
        location / {{ stub_status; }}
    }}
}}
"""


class Origin(Process):
    """The origin, started; `port` is where it answers."""

    def __init__(self, home):
        (home / "files").mkdir()
        for name, size in FILES.items():
            (home / "files" / name).write_bytes(os.urandom(size))
        self.port, self._status = free_port(), free_port()
        config = home / "nginx.conf"
        config.write_text(
            CONFIG.format(
                user="user root;" if os.geteuid() == 0 else "",
                home=home,
                port=self.port,
                status=self._status,
                small="s" * SMALL,
            )
        )
        nginx = machine.require("nginx", "nginx-light")
        argv = [nginx, "-p", home, "-e", home / "error.log", "-c", config]
        super().__init__("origin", argv, machine.LOAD_CORE, home)

    def ready(self):
        self.wait_for_port(self.port)
        self.wait_for_port(self._status)
        self._asked = 0
        return self

    def requests(self):
        """How many requests have come so far, those of this very question not counted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._status}/", timeout=10) as answer:
            numbers = answer.read().decode().splitlines()[2].split()
        self._asked += 1
        return int(numbers[2]) - self._asked
