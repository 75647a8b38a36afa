"""The results as Markdown: a table a section, ours first, and the ratios that matter."""

import machine

NAMES = {
    "edge": "Blue Origin",
    "nginx": "nginx",
    "varnish": "Varnish",
    "trafficserver": "Traffic Server",
}
POLICIES = {
    "belady": "Belady (the optimum)",
    "lru_exact": "exact LRU",
    "lru": "`lru`",
    "lfu": "`lfu`",
    "s3fifo": "`s3fifo`",
}


def markdown(results):
    sections = [_head(results)]
    if "throughput" in results:
        sections.append(_throughput(results["throughput"]))
    if "memory" in results:
        sections.append(_memory(results["memory"]))
    if "first_byte" in results:
        sections.append(_first_byte(results["first_byte"]))
    if "hit_ratio" in results:
        sections.append(_hit_ratio(results["hit_ratio"]))
    return "\n\n".join(sections) + "\n"


def ratios(peers, figure):
    """Ours over each peer's, and over the best's; empty when ours was not measured."""
    ours = peers.get("edge")
    others = {name: figures[figure] for name, figures in peers.items() if name != "edge"}
    if not ours or not others:
        return {}
    each = {name: ours[figure] / value for name, value in others.items()}
    return {**each, "best": ours[figure] / max(others.values())}


def _head(results):
    versions = ", ".join(f"{NAMES[name]} {version}" for name, version in results["versions"].items())
    return f"""\
# Benchmarks

Written by `{results["command"]}`; the same figures are in [benchmarks.json](benchmarks.json).

**Only the ratios mean anything.** The figures are from one run on one machine: {machine.sentence(results["machine"])}.
Every server runs alone on one core; the load generator (wrk; for 10 MiB `e2e/bench/sink.py`, which lets the kernel
discard the bodies) and the origin (nginx) share another one.
Other work took {results["other_load"]:.0%} of these cores just before the run.

{versions}. How each one is tuned stands in [`e2e/bench/peers`](../e2e/bench/peers)."""


def _throughput(section):
    parts = [
        f"""\
## Hits

![Hits per CPU-second](benchmarks.svg)

Medians of {section["rounds"]} rounds of {section["seconds"]} s that alternate between the servers. The origin counts
its requests: a round in which one reached it does not count but fails. *Core use* below 100 % means
that the load generator was the bottleneck, so hits per CPU-second are the fair figure."""
    ]
    for load in section["loads"]:
        rows = []
        for name, figures in load["peers"].items():
            low, high = figures["per_cpu_second_range"]
            rows.append(
                [
                    NAMES[name],
                    _count(figures["per_cpu_second"]),
                    f"{_count(low)} – {_count(high)}",
                    _count(figures["per_second"]),
                    f"{figures['core_use']:.0%}",
                    f"{figures['p50_ms']:.2f}",
                    f"{figures['p99_ms']:.2f}",
                ]
            )
        head = ["", "hits per CPU-second", "range", "hits/s", "core use", "p50 ms", "p99 ms"]
        text = f"### {load['name']}, {load['connections']} connections\n\n{_table(head, rows)}"
        if ratio := _ratio_line(load["peers"]):
            text += f"\n\n{ratio}"
        parts.append(text)
    return "\n\n".join(parts)


def _ratio_line(peers):
    lines = []
    for figure, words in (("per_cpu_second", "per CPU-second"), ("per_second", "per second")):
        if found := ratios(peers, figure):
            each = ", ".join(f"{value:.2f} × {NAMES[name]}" for name, value in found.items() if name != "best")
            lines.append(f"Ours {words}: **{found['best']:.2f} × the best** ({each}).")
    return "\n".join(lines)


def _memory(section):
    rows = [
        [
            NAMES[name],
            _count(figures["bytes_per_object"]),
            _count(figures["bytes_per_object"] - section["own_bytes"]),
            _mib(figures["before"]),
            _mib(figures["resident"]),
            _mib(figures["stored"]),
            _count(figures["fill_per_second"]),
        ]
        for name, figures in section["peers"].items()
    ]
    head = ["", "B an object", "beyond its own", "empty MiB", "full MiB", "of files MiB", "fills/s"]
    return f"""\
## Memory

{section["objects"]:,} objects of {section["body_bytes"]} bytes, filled through HTTP; a sample from all over must hit
afterwards. With its URL and the fields that the origin sends, such an object is {section["own_bytes"]} bytes by itself.
Counted: memory of all processes (pages they share once), and the files of caches that keep files; these
lie on tmpfs here and might lie on a disk.

{_table(head, rows)}"""


def _first_byte(section):
    rows = [
        [NAMES[name], f"{figures['direct_us']:.0f}", f"{figures['miss_us']:.0f}", f"{figures['added_us']:.0f}"]
        for name, figures in section["peers"].items()
    ]
    return f"""\
## First byte of a miss

{section["requests"]:,} uncached requests one after another, each paired with one straight to the origin; medians.

{_table(["", "direct µs", "miss µs", "a miss adds µs"], rows)}"""


def _hit_ratio(section):
    policies = [key for key in POLICIES if any(key in trace for trace in section["traces"])]
    rows = [
        [trace["name"], _mib(trace["bytes"]), *(f"{trace[key]:.1%}" if key in trace else "" for key in policies)]
        for trace in section["traces"]
    ]
    return f"""\
## Hit ratio of the eviction policies

Traces replayed against the real store.

{_table(["trace", "cache MiB", *(POLICIES[key] for key in policies)], rows)}"""


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _count(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _mib(value):
    return f"{value / 2**20:,.0f}" if value >= 100 * 2**20 else f"{value / 2**20:.1f}"
