"""Traffic Server: one event thread, no log, every object of every size in the RAM cache."""

from peers.peer import Peer, bytes_on_disk

RECORDS = {
    "admin.user_id": "STRING #-1",  # stay who we are
    "crash_log_helper": "STRING NULL",
    "exec_thread.autoconfig": "INT 0",
    "exec_thread.limit": "INT 1",
    "exec_thread.affinity": "INT 0",
    "accept_threads": "INT 0",  # the event thread accepts
    "task_threads": "INT 1",
    "cache.threads_per_disk": "INT 2",
    "cache.ram_cache.algorithm": "INT 1",
    "cache.ram_cache.use_seen_filter": "INT 0",
    "cache.ram_cache_cutoff": "INT 67108864",
    "cache.max_doc_size": "INT 0",
    "http.cache.required_headers": "INT 2",
    "http.insert_request_via_str": "INT 0",
    "http.insert_response_via_str": "INT 0",
    "http.insert_client_ip": "INT 0",
    "http.insert_squid_x_forwarded_for": "INT 0",
    "http.normalize_ae": "INT 0",
    "http.response_server_enabled": "INT 0",
    "http.keep_alive_no_activity_timeout_in": "INT 3600",
    "http.wait_for_cache": "INT 2",  # do not listen before the cache is there
    "log.logging_enabled": "INT 0",
    "net.listen_backlog": "INT 4096",
    "net.sock_send_buffer_size_in": "INT 262144",  # of 10 MiB half as many again, at a tenth of the p99
    "url_remap.remap_required": "INT 1",
    "reverse_proxy.enabled": "INT 1",
}


class TrafficServer(Peer):
    name = "trafficserver"
    label = "Traffic Server"
    binary = "traffic_server"
    package = "trafficserver"

    def prepare(self, home, port, origin, objects):
        gib = 2 + objects // 250_000
        config = home / "etc"
        for folder in (config, home / "run", home / "log", home / "cache"):
            folder.mkdir(exist_ok=True)
        records = {
            **RECORDS,
            "http.server_ports": f"STRING {port}:ip-in=127.0.0.1",
            "cache.ram_cache.size": f"INT {gib << 30}",
            # the directory is laid out for this size of object: a small one if there are many
            "cache.min_average_object_size": f"INT {1024 if objects else 8000}",
        }
        lines = [f"CONFIG proxy.config.{name} {value}" for name, value in records.items()]
        (config / "records.config").write_text("\n".join(lines) + "\n")
        (config / "remap.config").write_text(f"map / http://127.0.0.1:{origin}/\n")
        (config / "storage.config").write_text(f"{home}/cache {gib}G\n")
        (config / "ip_allow.yaml").write_text(ALLOW)
        (home / "runroot.yaml").write_text(ROOT.format(home=home))
        return [self.find(), f"--run-root={home}/runroot.yaml"], {"TS_RUNROOT": f"{home}/runroot.yaml"}

    def stored(self, home):
        return bytes_on_disk(home / "cache")


ALLOW = """
ip_allow:
  - apply: in
    ip_addrs: 127.0.0.1
    action: allow
    methods: ALL
"""

ROOT = """
prefix: /usr
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
datadir: {home}/run
sysconfdir: {home}/etc
localstatedir: {home}/run
runtimedir: {home}/run
logdir: {home}/log
cachedir: {home}/cache
"""
