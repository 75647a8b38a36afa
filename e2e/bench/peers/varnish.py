"""Varnish: objects in malloc storage, the shared-memory log masked, nothing in VCL."""

import re
import subprocess

from peers.peer import Peer

VCL = """
vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{origin}"; }}
sub vcl_recv {{ return (hash); }}
"""

PARAMETERS = {
    "thread_pools": 1,  # one core
    "thread_pool_min": 200,  # a thread a connection, all there from the start
    "thread_pool_max": 1000,
    "timeout_idle": 3600,
    "listen_depth": 4096,
    "http_gzip_support": "off",
    "ban_lurker_sleep": 0,
    "vsl_space": "1m",
}


class Varnish(Peer):
    name = "varnish"
    label = "Varnish"
    binary = "varnishd"
    package = "varnish"

    def prepare(self, home, port, origin, objects):
        vcl = home / "bench.vcl"
        vcl.write_text(VCL.format(origin=origin))
        parameters = {**PARAMETERS, "vsl_mask": self._mask_all()}
        argv = [self.find(), "-F", "-j", "none", "-T", "none", "-n", home / "work"]
        argv += ["-a", f"127.0.0.1:{port}", "-f", vcl, "-s", f"malloc,{2 + objects // 250_000}g"]
        for name, value in parameters.items():
            argv += ["-p", f"{name}={value}"]
        return argv, {}

    def _mask_all(self):
        """Every tag of this version's log, switched off."""
        text = subprocess.run([self.find(), "-x", "vsl"], capture_output=True, text=True).stdout
        return ",".join("-" + tag for tag in re.findall(r"^(\w+)\n-+$", text, re.MULTILINE)) or "default"
