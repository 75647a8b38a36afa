"""The pure parts: `python3 -m unittest discover e2e/bench`."""

import http.server
import threading
import unittest
import xml.dom.minidom

import chart
import report
import run
import sink
import wrk
from process import Failed

REPORT = """\
Running 5s test @ http://127.0.0.1:1/1k
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   806.32us  221.10us   6.12ms   78.10%
  Latency Distribution
     50%  790.00us
     75%    0.92ms
     90%    1.06ms
     99%    1.14ms
  353990 requests in 5.00s, 431.93MB read
Requests/sec:  70798.00
"""


def figures(value):
    return {
        "per_second": value / 2,
        "per_cpu_second": value,
        "per_cpu_second_range": [value * 0.9, value * 1.1],
        "core_use": 0.5,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
    }


def results():
    peers = {"edge": figures(300.0), "nginx": figures(200.0), "varnish": figures(100.0)}
    return {
        "command": "make bench",
        "machine": {"cores": 2, "processor": "p", "architecture": "a", "memory_gib": 8, "system": "s"},
        "other_load": 0.0,
        "versions": {"edge": "0.1", "nginx": "1", "varnish": "7"},
        "throughput": {
            "rounds": 3,
            "seconds": 5,
            "loads": [{"name": "1 KiB", "connections": 64, "peers": peers}],
        },
        "hit_ratio": {"traces": [{"name": "zipf-1.0", "bytes": 1 << 20, "belady": 0.71, "lru": 0.6}]},
    }


class Wrk(unittest.TestCase):
    def test_reads_requests_time_and_percentiles(self):
        seen = wrk.parse(REPORT)
        self.assertEqual((seen.requests, seen.per_second), (353990, 70798.0))
        self.assertAlmostEqual(seen.p50, 790e-6)
        self.assertAlmostEqual(seen.p99, 1.14e-3)

    def test_refuses_answers_that_are_errors(self):
        for line in ("  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"):
            with self.assertRaises(Failed):
                wrk.parse(REPORT + line)

    def test_refuses_no_answers(self):
        with self.assertRaises(Failed):
            wrk.parse(REPORT.replace("353990 requests", "0 requests"))


class Answers(http.server.BaseHTTPRequestHandler):
    """`/whole` is 3 MB, `/short` breaks off, `/none` is not there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", "3000000")
        self.end_headers()
        self.wfile.write(b"x" * (3_000_000 if self.path == "/whole" else 1_000))
        self.close_connection = self.path != "/whole"

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """The load ends in the middle of answers."""


class Sink(unittest.TestCase):
    def setUp(self):
        self.server = Quiet(("127.0.0.1", 0), Answers)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def load(self, path):
        return sink.load(f"http://127.0.0.1:{self.server.server_port}{path}", 2, 0.5, "h", 0)

    def test_counts_whole_answers(self):
        seen = self.load("/whole")
        self.assertGreater(seen.requests, 2)
        self.assertTrue(0 < seen.p50 <= seen.p99 <= seen.seconds)

    def test_refuses_what_breaks_off_and_what_is_an_error(self):
        for path in ("/short", "/none"):
            with self.assertRaises(Failed):
                self.load(path)


class Report(unittest.TestCase):
    def test_ratios_are_ours_over_theirs(self):
        found = report.ratios(results()["throughput"]["loads"][0]["peers"], "per_cpu_second")
        self.assertEqual(found, {"nginx": 1.5, "varnish": 3.0, "best": 1.5})

    def test_without_ours_there_is_no_ratio(self):
        self.assertEqual(report.ratios({"nginx": figures(1.0)}, "per_second"), {})

    def test_markdown_has_the_sections_measured(self):
        text = report.markdown(results())
        self.assertIn("**1.50 × the best** (1.50 × nginx, 3.00 × Varnish)", text)
        self.assertIn("| zipf-1.0 | 1.0 | 71.0% | 60.0% |", text)
        self.assertNotIn("## Memory", text)

    def test_chart_is_xml_with_a_bar_for_each(self):
        document = xml.dom.minidom.parseString(chart.svg(results()["throughput"]))
        self.assertEqual(len(document.getElementsByTagName("rect")), 1 + 3)


class Merge(unittest.TestCase):
    def test_sections_of_the_same_machine_are_kept(self):
        new = {key: value for key, value in results().items() if key != "hit_ratio"}
        self.assertIn("hit_ratio", run.merged(results(), new))
        elsewhere = {**new, "machine": {"cores": 64}}
        self.assertNotIn("hit_ratio", run.merged(results(), elsewhere))


if __name__ == "__main__":
    unittest.main()
