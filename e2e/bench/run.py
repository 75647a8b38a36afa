#!/usr/bin/env python3
"""Compares our edge with nginx, Varnish and Traffic Server on this machine. See README.md."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import chart
import first_byte
import hit_ratio
import machine
import memory
import peers as known
import report
import throughput
from origin import Origin
from process import Failed
from stage import Stage

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROUNDS = 7
SECTIONS = ("throughput", "memory", "first-byte", "hit-ratio")


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
    write(results, options)


def arguments():
    parser = argparse.ArgumentParser(prog="e2e/bench/run.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few short rounds: shows that it works, no more")
    names = [*SECTIONS, *(peer.name for peer in known.ALL)]
    parser.add_argument(
        "--only", action="append", default=[], choices=names, metavar="NAME",
        help=f"only this section or this server, may be given again: {', '.join(names)}",
    )  # fmt: skip
    parser.add_argument("--skip-ours", action="store_true", help="only the peers, without our edge")
    parser.add_argument("--rounds", type=int, help="rounds of the throughput section")
    parser.add_argument("--seconds", type=int, help="seconds of each load")
    parser.add_argument("--objects", type=int, help="objects of the memory section")
    parser.add_argument(
        "--json", type=Path, metavar="FILE",
        help="where the results go, .md and .svg beside it; sections not run are kept (a whole run: docs/)",
    )  # fmt: skip
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else ROUNDS)
    options.seconds = options.seconds or (2 if options.quick else 5)
    options.objects = options.objects or (20_000 if options.quick else 1_000_000)
    options.requests = 500 if options.quick else 5_000
    options.sections = [name for name in SECTIONS if name in options.only] or list(SECTIONS)
    named = [peer for peer in known.ALL if peer.name in options.only] or known.ALL
    options.peers = [peer for peer in named if not (options.skip_ours and peer is known.OURS)]
    if not options.peers:
        parser.error("no server is left to be measured")
    partial = options.quick or options.only or options.skip_ours
    options.json = options.json or (None if partial else DOCS / "benchmarks.json")
    return options


def run(options):
    machine.require_two_cores()
    machine.require("wrk", "wrk")
    machine.require("taskset", "util-linux")
    results = {
        "command": command(options),
        "machine": machine.describe(),
        "other_load": machine.other_load(),
        "versions": {peer.name: peer.version() for peer in options.peers},
    }
    if results["other_load"] > 0.1:
        print(f"note: the cores are {results['other_load']:.0%} busy with other work, figures will be noisy")
    home = Path(tempfile.mkdtemp(prefix="bench-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        (home / "origin").mkdir()
        with Origin(home / "origin") as origin:
            stage = Stage(home, origin.ready())
            for name in options.sections:
                print(f"{name}:", flush=True)
                if (section := measure(name, stage, options)) is not None:
                    results[name.replace("-", "_")] = section
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return results


def command(options):
    """The command line as somebody else would repeat it: without where the results went."""
    words = ["python3 e2e/bench/run.py"]
    words += ["--quick"] * options.quick + ["--skip-ours"] * options.skip_ours
    words += [f"--only {name}" for name in options.only]
    words += [f"--rounds {options.rounds}"] * (options.rounds != ROUNDS and not options.quick)
    return " ".join(words)


def measure(name, stage, options):
    if name == "throughput":
        return throughput.measure(stage, options.peers, options.rounds, options.seconds)
    if name == "memory":
        return memory.measure(stage, options.peers, options.objects)
    if name == "first-byte":
        return first_byte.measure(stage, options.peers, options.requests)
    return hit_ratio.measure()


def write(results, options):
    if options.json is None:
        print("A part of the whole: nothing is written without --json FILE.")
        return
    if options.json.exists():
        results = merged(json.loads(options.json.read_text()), results)
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    options.json.with_suffix(".md").write_text(report.markdown(results))
    if "throughput" in results:
        options.json.with_suffix(".svg").write_text(chart.svg(results["throughput"]))
    print(f"Written to {options.json} and beside it.")


def merged(old, new):
    """New sections over old ones, as long as they are of the same class of machine."""
    if old.get("machine") != new["machine"]:
        return new
    return {**old, **new, "versions": {**old.get("versions", {}), **new["versions"]}}


if __name__ == "__main__":
    main()
