"""The pure parts of the comparison of name servers: `python3 -m unittest discover e2e/bench`."""

import struct
import tempfile
import unittest
from pathlib import Path

from dns import mmdb, perf, report, world
from process import Failed

REPORT = """\
> NOERROR binary input 0.000181
> NOERROR binary input 0.000094
> NOERROR binary input 0.000150
[Status] Testing complete (time limit)

Statistics:

  Queries sent:         4
  Queries completed:    3 (75.00%)
  Queries lost:         1 (25.00%)

  Response codes:       NOERROR 3 (100.00%)
  Queries per second:   49.988902
"""


def text(value):
    return bytes([2 << 5 | len(value)]) + value.encode()


def double(value):
    return bytes([3 << 5 | 8]) + struct.pack(">d", value)


def number(value):
    return bytes([6 << 5 | 4]) + struct.pack(">I", value)


def tree(nodes):
    """A database of these nodes; a leaf is a latitude and longitude, or None."""
    data, leaves = b"", {}
    for leaf in sorted({child for node in nodes for child in node if isinstance(child, tuple)}):
        leaves[leaf] = len(nodes) + mmdb.SEPARATOR + len(data)
        data += b"\xe2" + text("latitude") + double(leaf[0]) + text("longitude") + double(leaf[1])
    out = b""
    for node in nodes:
        left, right = (len(nodes) if c is None else leaves.get(c, c) for c in node)
        out += left.to_bytes(4, "big")[1:] + bytes([left >> 24 << 4 | right >> 24]) + right.to_bytes(4, "big")[1:]
    about = b"\xe2" + text("node_count") + number(len(nodes)) + text("record_size") + number(28)
    return out + bytes(mmdb.SEPARATOR) + data + mmdb.MARK + about


PARIS, LILLE, SYDNEY = (48.86, 2.35), (50.63, 3.06), (-33.87, 151.21)


class Networks(unittest.TestCase):
    def setUp(self):
        # a quarter of the addresses each
        with tempfile.NamedTemporaryFile() as file:
            file.write(tree([(1, 2), (PARIS, LILLE), (SYDNEY, None)]))
            file.flush()
            self.database = mmdb.Database(Path(file.name))

    def test_networks_with_the_same_pops_are_one(self):
        one = world.Networks(self.database, 1)
        self.assertEqual(list(one), [("0.0.0.0/1", ("ams",)), ("128.0.0.0/2", ("syd",))])
        three = world.Networks(self.database, 3)
        self.assertEqual([len(pops) for _, pops in three], [3, 3])
        self.assertEqual(one.find(0xC0000000), world.NOTHING)
        self.assertEqual(one.lists[one.find(0x80000000)], ("syd",))

    def test_a_query_tells_of_its_network_and_is_expected_to_get_the_nearest(self):
        one = world.Networks(self.database, 1)
        for query, pop in world.queries(one, 50):
            number = int.from_bytes(query[-3:], "big") << 8
            self.assertEqual((pop,), one.lists[one.find(number)])
            self.assertNotEqual(number >> 30, 3)


class Replies(unittest.TestCase):
    def test_the_address_is_read_behind_a_name_or_a_pointer(self):
        question = world.query(7, 0)[12 : 12 + len(world.HOST) + 2 + 4]
        for owner in (b"\xc0\x0c", question[:-4]):
            head = struct.pack(">6H", 7, 0x8400, 1, 1, 0, 0)
            record = owner + struct.pack(">HHIH", 1, 1, 30, 4) + bytes([192, 0, 2, 9])
            self.assertEqual(world.answered(head + question + record), "192.0.2.9")
        self.assertIsNone(world.answered(struct.pack(">6H", 7, 0x8405, 1, 0, 0, 0) + question))


class Dnsperf(unittest.TestCase):
    def test_counts_and_latencies_are_read(self):
        seen = perf.parse(REPORT)
        self.assertEqual((seen.completed, seen.lost), (3, 1))
        self.assertEqual(seen.latencies, [0.000094, 0.00015, 0.000181])
        self.assertEqual(perf.percentile(seen.latencies, 0.99), 0.000181)

    def test_an_error_is_no_answer(self):
        with self.assertRaises(Failed):
            perf.parse(REPORT.replace("NOERROR 3 (100.00%)", "NOERROR 2 (66.67%), SERVFAIL 1 (33.33%)"))
        with self.assertRaises(Failed):
            perf.percentile([], 0.5)


class Report(unittest.TestCase):
    def test_ratios_are_ours_over_theirs_round_by_round(self):
        rounds = {"geodns": (200.0, 90.0, 300.0), "gdnsd": (100.0, 90.0, 200.0)}
        samples = {name: [{"per_cpu_second": figure} for figure in found] for name, found in rounds.items()}
        self.assertEqual(report.ratios(samples), {"gdnsd": {"median": 1.5, "low": 1.0, "high": 2.0}})
        self.assertEqual(report.ratios({"gdnsd": samples["gdnsd"]}), {})
