"""The results as Markdown."""

from statistics import median

import machine

NAMES = {"geodns": "Blue Origin", "gdnsd": "gdnsd", "powerdns": "PowerDNS"}
WANTED = {"gdnsd": 1.0, "powerdns": 2.5}


def markdown(results):
    versions = ", ".join(f"{NAMES[name]} {version}" for name, version in results["versions"].items())
    rows = [_row(name, figures) for name, figures in results["servers"].items()]
    head = ["", "answers per CPU-second", "range", "answers/s", "core use", "p50 ms", "p99 ms", "p99.9 ms"]
    return f"""\
# GeoDNS beside others

Written by `{results["command"]}`; the same figures are in [benchmarks-dns.json](benchmarks-dns.json).

**Only the ratios mean anything.** The figures are from one run on one machine: {machine.sentence(results["machine"])}.
The servers run side by side on one core, asked in turn; dnsperf is on another one.
Other work took {results["other_load"]:.0%} of these cores just before the run.

{versions}. How each one is tuned stands in [`e2e/bench/dns/servers.py`](../e2e/bench/dns/servers.py).

All have the same zone and {results["pops"]} PoPs, and give one address to each query. The {results["queries"]:,} queries ask for a
name with an EDNS client subnet (/24) each, of networks all over the world, as a database of cities has them (DB-IP's,
CC BY 4.0). Ours reads that database and compares distances; gdnsd and PowerDNS read the nearest PoPs of each network
out of lists made of it. Before the first turn {results["checked"]} answers of each are compared with the list.

{_table(head, rows)}

Medians of {results["rounds"]} rounds of {results["seconds"]} s. Answers per CPU-second are those of a round, with as many queries under
way as dnsperf can have, over user and system time of the server. Latencies are those at {results["rate"]:,} queries a second,
the same for all; each round begins with another server.

{_ratios(results)}
"""


def _row(name, figures):
    low, high = figures["per_cpu_second_range"]
    return [
        NAMES[name],
        f"{figures['per_cpu_second']:,.0f}",
        f"{low:,.0f} – {high:,.0f}",
        f"{figures['per_second']:,.0f}",
        f"{figures['core_use']:.0%}",
        *(f"{figures[key]:.2f}" for key in ("p50_ms", "p99_ms", "p999_ms")),
    ]


def ratios(samples):
    """Ours over each other's answers per CPU-second: the median of the rounds, as both of a round had the same noise."""
    ours = samples.get("geodns")
    if not ours:
        return {}
    others = {name: found for name, found in samples.items() if name != "geodns"}
    each = {
        name: [mine["per_cpu_second"] / other["per_cpu_second"] for mine, other in zip(ours, found)]
        for name, found in others.items()
    }
    return {
        name: {"median": round(median(found), 3), "low": round(min(found), 3), "high": round(max(found), 3)}
        for name, found in each.items()
    }


def _ratios(results):
    servers = results["servers"]
    lines = [
        f"- **{ratio['median']:.2f} × {NAMES[name]}** in answers per CPU-second ({ratio['low']:.2f} to {ratio['high']:.2f}, "
        f"wanted: {WANTED[name]:.1f}), p99 {servers['geodns']['p99_ms']:.2f} ms to {servers[name]['p99_ms']:.2f} ms"
        for name, ratio in results["ratios"].items()
    ]
    return "Ours, medians of the ratios of each round:\n\n" + "\n".join(lines) if lines else "Ours was not measured."


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
