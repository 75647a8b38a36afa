//! How many requests each eviction policy answers from the store, beside exact LRU and Belady's
//! bound, on seeded traces: `cargo run --release -p e2e --bin hit-ratio`.
//!
//! Every request goes through the real [`cache::Cache`]; the two references count each object at
//! exactly what the store charges for it. Prints JSON.

#[path = "../hit_ratio/bounds.rs"]
mod bounds;
#[path = "../hit_ratio/replay.rs"]
mod replay;
#[path = "../hit_ratio/traces.rs"]
mod traces;

use std::io::{self, Write};

use cache::EvictionPolicy::{Lfu, Lru, S3Fifo};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    // Arguments select traces by a part of their name.
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut results = Vec::new();
    for trace in traces::all() {
        if wanted.iter().any(|part| !trace.name.contains(part.as_str())) {
            continue;
        }
        for percent in [1, 10] {
            results.push(measure(&trace, percent));
        }
    }
    writeln!(io::stdout(), "{:#}", json!({ "traces": results }))?;
    Ok(())
}

/// One trace at a store of so many percent of all its objects.
fn measure(trace: &traces::Trace, percent: u64) -> Value {
    let costs = replay::costs(trace);
    let bytes = costs.iter().sum::<u64>() * percent / 100;
    let ratio =
        |hits: usize| (hits as f64 / trace.requests.len() as f64 * 10_000.0).round() / 10_000.0;
    json!({
        "name": trace.name,
        "objects": trace.sizes.len(),
        "requests": trace.requests.len(),
        "bytes": bytes,
        "belady": ratio(bounds::belady(trace, &costs, bytes)),
        "lru_exact": ratio(bounds::lru(trace, &costs, bytes)),
        "lru": ratio(replay::hits(trace, bytes, Lru)),
        "lfu": ratio(replay::hits(trace, bytes, Lfu)),
        "s3fifo": ratio(replay::hits(trace, bytes, S3Fifo)),
    })
}
