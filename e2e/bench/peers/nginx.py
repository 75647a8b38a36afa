"""nginx: one worker, the cache on tmpfs, sent by sendfile from descriptors that stay open."""

import os

from peers.peer import Peer, bytes_on_disk

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
    server_tokens off;
    sendfile on;
    tcp_nopush off;  # on, a 64 KiB answer on loopback waits 40 ms for the delayed ACK of its first part
    tcp_nodelay on;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    open_file_cache max=20000 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/temp;
    proxy_cache_path {home}/cache levels=2:2 keys_zone=c:{zone}m max_size=16g inactive=1d
                     use_temp_path=off manager_sleep=1s;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 128;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096 sndbuf=256k;  # of 10 MiB twice as many a second as with the kernel's own sizes
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache c;
            proxy_cache_lock on;
        }}
    }}
}}
"""

KEYS_PER_MIB = 7000  # the manual says about 8,000


class Nginx(Peer):
    name = "nginx"
    label = "nginx"
    binary = "nginx"
    package = "nginx-light"
    version_args = ["-v"]

    def prepare(self, home, port, origin, objects):
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is ours alone
        zone = 32 + objects // KEYS_PER_MIB
        config = home / "nginx.conf"
        config.write_text(CONFIG.format(user=user, home=home, zone=zone, origin=origin, port=port))
        return [self.find(), "-p", home, "-e", home / "error.log", "-c", config], {}

    def stored(self, home):
        return bytes_on_disk(home / "cache")
