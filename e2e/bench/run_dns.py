#!/usr/bin/env python3
"""Compares our GeoDNS with gdnsd and PowerDNS on this machine: answers per CPU-second, and latencies. See README.md."""

import argparse
import contextlib
import json
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import machine
from dns import files, perf, report, servers, world
from process import Failed, Process, free_port

DOCS = Path(__file__).resolve().parents[2] / "docs"
RATE = 10_000  # a third of what the slowest of them can do
CHECKED = 300
AGREEING = 0.98  # of them have to: one cuts what it knows of a network where another does not


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))  # unwinds, so that all we started ends
    try:
        results = run(options)
    except (Failed, machine.Missing) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: interrupted, everything that was started is stopped")
    print("\n" + report.markdown(results))
    if options.json is None:
        print("A part of the whole: nothing is written without --json FILE.")
        return
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    options.json.with_suffix(".md").write_text(report.markdown(results))


def arguments():
    parser = argparse.ArgumentParser(prog="e2e/bench/run_dns.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few short rounds: shows that it works, no more")
    names = [server.name for server in servers.ALL]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"only {', '.join(names)}")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="seconds of each load")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go, .md beside it (a whole run: docs/)")
    options = parser.parse_args()
    options.json = options.json or (None if options.quick or options.only else DOCS / "benchmarks-dns.json")
    options.rounds = options.rounds or (2 if options.quick else 9)
    options.seconds = options.seconds or (1 if options.quick else 3)
    options.servers = [server for server in servers.ALL if server.name in (options.only or names)]
    return options


def run(options):
    machine.require_two_cores()
    machine.require("taskset", "util-linux")
    results = {
        "command": "make bench-dns",
        "machine": machine.describe(),
        "other_load": machine.other_load(),
        "versions": {server.name: server.version() for server in options.servers},
        "pops": len(world.POPS),
        "queries": files.QUERIES,
        "checked": CHECKED,
        "rate": RATE,
        "rounds": options.rounds,
        "seconds": options.seconds,
    }
    given = files.Files(files.folder())
    home = Path(tempfile.mkdtemp(prefix="bench-dns-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        with contextlib.ExitStack() as stack:
            running = {}
            for server in options.servers:
                running[server.name] = stack.enter_context(start(server, home / server.name, given))
            samples = measure(running, given, options)
            results["servers"] = {name: summary(found) for name, found in samples.items()}
            results["ratios"] = report.ratios(samples)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return results


@contextlib.contextmanager
def start(server, home, given):
    home.mkdir()
    port = free_port()
    with Process(server.label, server.prepare(home, port, given), machine.SERVER_CORE, home) as process:
        process.wait_for_port(port, 120)
        process.port = port
        wait_for_answers(process, given)
        yield process


def wait_for_answers(process, given, seconds=60):
    """Returns once the server sends clients where the list does; it may listen before it read everything."""
    deadline = time.monotonic() + seconds
    while (part := agreeing(process, given)) < AGREEING:
        if time.monotonic() > deadline:
            raise Failed(f"only {part:.0%} of the answers of {process.name} are right:\n{process.log_tail()}")
        time.sleep(0.2)


def agreeing(process, given):
    """The part of some answers that is the one expected."""
    right = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", process.port))
        client.settimeout(2)
        for query, pop in given.samples(CHECKED):
            try:
                client.send(query)
                right += world.answered(client.recv(4096)) == world.address(pop)
            except OSError:
                return 0
    return right / CHECKED


def measure(running, given, options):
    samples = {name: [] for name in running}
    for turn in range(1, options.rounds + 1):
        # Each begins in its turn: what one leaves behind meets another each time.
        order = list(running.items())
        order = order[turn % len(order) :] + order[: turn % len(order)]
        for name, process in order:
            sample = one(process, given, options.seconds)
            samples[name].append(sample)
            print(
                f"  round {turn}/{options.rounds}  {process.name:12} {sample['per_cpu_second']:>9,.0f}/CPU s  "
                f"{sample['per_second']:>9,.0f}/s  p99 {sample['p99_ms']:.2f} ms",
                flush=True,
            )
    return samples


def one(process, given, seconds):
    perf.load(process.port, given.load(), 1)
    before = process.cpu_seconds()
    seen = perf.load(process.port, given.load(), seconds)
    cpu = process.cpu_seconds() - before
    if cpu <= 0:
        raise Failed(f"{process.name} seems to have used no CPU time; is the process measured the one that serves?")
    steady = perf.load(process.port, given.load(), seconds, RATE)
    if seen.lost + steady.lost > seen.completed // 1000:
        raise Failed(f"{process.name} lost {seen.lost + steady.lost} queries")
    return {
        "per_second": seen.per_second,
        "per_cpu_second": seen.completed / cpu,
        "core_use": cpu / seconds,
        "p50_ms": perf.percentile(steady.latencies, 0.5) * 1e3,
        "p99_ms": perf.percentile(steady.latencies, 0.99) * 1e3,
        "p999_ms": perf.percentile(steady.latencies, 0.999) * 1e3,
    }


def summary(samples):
    figures = {name: round(median(sample[name] for sample in samples), 3) for name in samples[0]}
    ordered = sorted(sample["per_cpu_second"] for sample in samples)
    return {**figures, "per_cpu_second_range": [round(ordered[0]), round(ordered[-1])]}


if __name__ == "__main__":
    main()
