"""The servers that are compared: how each is tuned for one core and started."""

import json
import re
import subprocess
from pathlib import Path

import machine
from dns import world

ROOT = Path(__file__).resolve().parents[3]
BINARY = ROOT / "target/release/geodns"


class Server:
    """One name server."""

    name = ""  # as in `--only NAME`
    label = ""  # as in the report
    binary = ""
    package = ""
    version_args = ["--version"]

    def find(self):
        """The path of the installed server; raises `machine.Missing` with the remedy."""
        return machine.require(self.binary, self.package)

    def version(self):
        done = subprocess.run([self.find(), *self.version_args], capture_output=True, text=True)
        found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
        return found.group(0) if found else "unknown"

    def prepare(self, home, port, files):
        """Writes the configuration into `home`; gives the command line."""
        raise NotImplementedError


class Ours(Server):
    """One thread, the database of cities as it is, one PoP in each answer as the others give it."""

    name = "geodns"
    label = "Blue Origin"

    def find(self):
        if not BINARY.exists():
            raise machine.Missing("target/release/geodns is missing: build it (`cargo build --release -p geodns`)")
        return str(BINARY)

    def prepare(self, home, port, files):
        pops = [
            {"name": name, "v4": [world.address(name)], "location": {"latitude": place[0], "longitude": place[1]}}
            for name, place in world.POPS.items()
        ]
        zone = {
            "nameServers": [{"name": f"ns1.{world.ZONE}", "v4": ["192.0.2.53"]}],
            "hosts": {world.HOST: "web"},
        }
        zones = {
            "format": 1,
            "version": "bench",
            "zones": {world.ZONE: zone},
            "pools": {"web": {"steering": {"answers": 1, "ttl": world.TTL}, "pops": pops}},
            "limits": {"answersPerSecond": 0},  # dnsperf is one client; the others have no limit
        }
        (home / "zones.yaml").write_text(json.dumps(zones))
        argv = [self.find(), "--zones", home / "zones.yaml", "--places", files.database]
        return [*argv, "--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0", "--threads", "1"]


GDNSD = """
options => {{
  listen => [ 127.0.0.1:{port} ], udp_threads => 1, tcp_threads => 1,
  udp_rcvbuf => 1048576, udp_sndbuf => 1048576,
  run_dir => {home}/run, state_dir => {home}/state,
  edns_client_subnet => true, max_edns_response => 1232
}}
plugins => {{ geoip => {{
  maps => {{ world => {{ datacenters => [{names}], nets => {nets} }} }}
  resources => {{ web => {{ map => world, service_types => up, dcmap => {{ {addresses} }} }} }}
}} }}
"""


class Gdnsd(Server):
    """The geoip plugin. It reads coordinates of databases in MaxMind's layout alone, and makes a list of networks of
    them when it starts; so it is given that list, made of the same database, with its default of three datacentres."""

    name = "gdnsd"
    label = "gdnsd"
    binary = "gdnsd"
    package = "gdnsd"
    version_args = []

    def prepare(self, home, port, files):
        for folder in ("etc/zones", "run", "state"):
            (home / folder).mkdir(parents=True)
        addresses = ", ".join(f"{name} => {world.address(name)}" for name in world.NAMES)
        names = ", ".join(world.NAMES)
        text = GDNSD.format(port=port, home=home, names=names, nets=files.gdnsd, addresses=addresses)
        (home / "etc/config").write_text(text)
        zone = f"$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 604800 60\n@ NS ns1\nns1 A 192.0.2.53\nwww {world.TTL} DYNA geoip!web\n"
        (home / "etc/zones" / world.ZONE).write_text(zone)
        return [self.find(), "-c", home / "etc", "start"]


POWERDNS = """
launch=geoip
module-dir={modules}
geoip-zones-file={home}/zones.yaml
local-address=127.0.0.1
local-port={port}
edns-subnet-processing=yes
receiver-threads=1
distributor-threads=1
cache-ttl=60
query-cache-ttl=60
negquery-cache-ttl=60
socket-dir={home}
daemon=no
guardian=no
disable-syslog=yes
loglevel=3
write-pid=no
security-poll-suffix=
"""


class PowerDns(Server):
    """The geoip backend. It knows countries but no distances, so it too is given the networks made of the database,
    each with the nearest PoP alone, as it does not fail over. One thread does everything, and its caches are on."""

    name = "powerdns"
    label = "PowerDNS"
    binary = "pdns_server"
    package = "pdns-backend-geoip"

    def prepare(self, home, port, files):
        modules = next(Path("/usr/lib").glob("*/pdns/libgeoipbackend.so"), None)
        if modules is None:
            raise machine.Missing("the geoip backend is missing: apt-get install pdns-backend-geoip")
        text = POWERDNS.format(home=home, port=port, modules=modules.parent)
        (home / "pdns.conf").write_text(text)
        records = "".join(f"    {name}.{world.ZONE}: [a: {world.address(name)}]\n" for name in world.NAMES)
        (home / "zones.yaml").write_text(
            f"domains:\n- domain: {world.ZONE}\n  ttl: {world.TTL}\n  records:\n"
            f"    {world.ZONE}: [soa: ns1.{world.ZONE} hostmaster.{world.ZONE} 1 7200 900 604800 60, ns: ns1.{world.ZONE}]\n"
            f"{records}  services:\n    {world.HOST}:\n      default: {world.NAMES[0]}.{world.ZONE}\n"
            + files.powerdns.read_text()
        )
        return [self.find(), f"--config-dir={home}"]


ALL = [Ours(), Gdnsd(), PowerDns()]
