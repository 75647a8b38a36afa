"""Memory for each of very many small objects, filled through HTTP."""

import random

import origin
import wrk
from process import Failed
from stage import get, own_bytes

SAMPLE = 300


def measure(stage, peers, objects):
    """For each peer: memory before and after the fill, and what that is for one object."""
    result = {"objects": objects, "body_bytes": origin.SMALL, "peers": {}}
    result["own_bytes"] = own_bytes(stage.origin.port, f"/small/{objects - 1}")
    for peer in peers:
        figures = one(stage, peer, objects)
        result["peers"][peer.name] = figures
        print(
            f"  {peer.label:15} {figures['bytes_per_object']:>6} B an object, "
            f"filled at {figures['fill_per_second']:.0f}/s",
            flush=True,
        )
    return result


def one(stage, peer, objects):
    with stage.running(peer, objects) as server:
        get(server.port, "/small/first")  # what the first request allocates is no object's
        before = server.memory() + peer.stored(server.home)
        asked = stage.origin.requests()
        seconds = wrk.fill(server.port, objects, lambda: stage.origin.requests() - asked)
        filled = stage.origin.requests() - asked
        if filled < objects:
            raise Failed(f"{peer.label}: only {filled} of {objects} objects were filled in the time there was")
        resident, stored = server.memory(), peer.stored(server.home)
        check_sample(stage, peer, server, objects)
        return {
            "bytes_per_object": round((resident + stored - before) / filled),
            "before": before,
            "resident": resident,
            "stored": stored,
            "filled": filled,
            "fill_per_second": round(filled / seconds),
        }


def check_sample(stage, peer, server, objects):
    """Objects from all over the fill must still be there, else the memory is that of fewer."""
    chosen = random.Random(1)
    with stage.hits_only(peer, f"a sample of {SAMPLE} of the {objects} objects"):
        for _ in range(SAMPLE):
            get(server.port, f"/small/{chosen.randrange(objects)}")
