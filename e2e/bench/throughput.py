"""Hits per second and per CPU-second, in rounds that alternate between the peers."""

from statistics import median

import machine
import origin
import sink
import wrk
from process import Failed
from stage import get

LOADS = [("1k", "1 KiB", 64), ("64k", "64 KiB", 32), ("10m", "10 MiB", 8)]
FIGURES = ("per_second", "per_cpu_second", "core_use", "p50_ms", "p99_ms")


def measure(stage, peers, rounds, seconds):
    """Every peer under every load, `rounds` times in turn; the medians."""
    samples = {(peer.name, key): [] for peer in peers for key, _, _ in LOADS}
    for turn in range(1, rounds + 1):
        for peer in peers:
            with stage.running(peer) as server:
                for key, title, connections in LOADS:
                    warm(stage, peer, server, key)
                    sample = one(stage, peer, server, key, connections, seconds)
                    samples[peer.name, key].append(sample)
                    print(
                        f"  round {turn}/{rounds}  {peer.label:15} {title:>7}  "
                        f"{sample['per_second']:>9.0f}/s  {sample['per_cpu_second']:>9.0f}/CPU s  "
                        f"p99 {sample['p99_ms']:.2f} ms",
                        flush=True,
                    )
    return {
        "rounds": rounds,
        "seconds": seconds,
        "loads": [
            {
                "name": title,
                "connections": connections,
                "peers": {peer.name: _summary(samples[peer.name, key]) for peer in peers},
            }
            for key, title, connections in LOADS
        ],
    }


def warm(stage, peer, server, key):
    """Fills the cache and proves it: the same bytes as the origin's, and then not from the origin."""
    path = f"/{key}"
    expected = get(stage.origin.port, path)
    for _ in range(3):
        if get(server.port, path) != expected:
            raise Failed(f"{peer.label} answers {path} with other bytes than the origin")
    with stage.hits_only(peer, path):
        if len(get(server.port, path)) != origin.FILES[key]:
            raise Failed(f"{peer.label} cuts {path} short")


def one(stage, peer, server, key, connections, seconds):
    url = f"http://127.0.0.1:{server.port}/{key}"
    load(key, url, connections, 1)  # connections, threads and buffers come to be outside the measure
    with stage.hits_only(peer, f"/{key}"):
        before = server.cpu_seconds()
        seen = load(key, url, connections, seconds)
        cpu = server.cpu_seconds() - before
    if cpu <= 0:
        raise Failed(f"{peer.label} seems to have used no CPU time; is the process measured the one that serves?")
    return {
        "per_second": seen.per_second,
        "per_cpu_second": seen.requests / cpu,
        "core_use": cpu / seen.seconds,
        "p50_ms": seen.p50 * 1e3,
        "p99_ms": seen.p99 * 1e3,
    }


def load(key, url, connections, seconds):
    """The load that leaves the server the bottleneck: of large bodies, wrk itself would be."""
    if key == "10m":
        return sink.load(url, connections, seconds, origin.HOST, machine.LOAD_CORE)
    return wrk.load(url, connections, seconds)


def _summary(samples):
    figures = {name: round(median(sample[name] for sample in samples), 3) for name in FIGURES}
    ordered = sorted(sample["per_cpu_second"] for sample in samples)
    return {**figures, "per_cpu_second_range": [round(ordered[0], 3), round(ordered[-1], 3)]}
