//! The figures as files in `docs/`.

use std::path::Path;

use serde_json::json;

use crate::figures::{Figures, PHASES, millis};
use crate::run::Run;
use crate::{LATENCY, MEASURING, MOST, QUEUE, RATE, SERVICE, THROUGHPUT, WORKERS, chart};

/// Rows of Markdown.
pub(crate) fn table(all: &[Figures]) -> String {
    let mut text = "| phase | can do /s | good answers /s | sent away /s | p50 ms | p99 ms | promised ms | p99 at the origin ms | most at the origin | mean limit |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"
    .to_owned();
    for figures in all {
        text += &format!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {:.0} |\n",
            figures.phase,
            figures.capacity,
            figures.throughput,
            figures.refused,
            millis(figures.p50),
            millis(figures.p99),
            millis(figures.bound()),
            millis(figures.origin_p99),
            figures.most_at_origin,
            figures.limit,
        );
    }
    text
}

/// Writes `docs/benchmarks-adaptive.json`, `.svg` and `.md` anew. `others` is what
/// [`e2e::machine::busy`] said before.
pub(crate) fn write(runs: &[Run], others: f64) -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (processor, cores) = e2e::machine::machine();
    let seconds = runs.first().map_or(0, |run| run.seconds);
    let all: Vec<_> = runs
        .iter()
        .map(|run| {
            let phases: Vec<_> = run.figures().iter().map(Figures::json).collect();
            json!({ "name": run.name(), "phases": phases })
        })
        .collect();
    let page = json!({
        "command": "make bench-adaptive",
        "machine": { "processor": processor, "cores": cores },
        "other_load": (others * 100.0).round() / 100.0,
        "workers": WORKERS, "service_ms": millis(SERVICE), "requests_per_second": RATE,
        "queue": QUEUE, "seconds_per_phase": seconds, "runs": all,
    });
    std::fs::write(docs.join("benchmarks-adaptive.json"), format!("{page:#}\n"))?;
    std::fs::write(docs.join("benchmarks-adaptive.svg"), chart::svg(runs))?;
    let mut text = format!(
        "# An origin that loses half of its capacity

Written by `make bench-adaptive`; the same figures are in [benchmarks-adaptive.json](benchmarks-adaptive.json).

![Throughput, latency and limit over time](benchmarks-adaptive.svg)

One `edge` process before one origin of {WORKERS} workers, each of which has a request for {} ms; what they cannot take at
once waits at the origin. {RATE} requests a second come to the edge, each for another URL and whatever became of those
before, which is more than the origin ever can do. {} phases of {seconds} s: all workers, half of them, all again. {QUEUE}
requests may wait at the edge, the rest are sent away with 503 and `Retry-After`. All of it is on one machine: {cores} cores
of {processor}; other work took {:.0}% of them just before the run.
",
        millis(SERVICE),
        PHASES.len(),
        others * 100.0
    );
    for run in runs {
        let mut name = run.name();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text += &format!("\n## {name}\n\n{}", table(&run.figures()));
    }
    text += &format!(
        "
Figures leave out the first third of each phase, in which the limit finds out; the chart shows it. Latencies are of good
answers, as a client sees them. Promised of the adaptive limit are {:.0}% of what the origin can do, and as the 99th
percentile {MEASURING:.0} times the way through the queue at the origin's pace ({QUEUE} requests / what it can do in a second)
and {LATENCY:.0} times an answer: while the latency without a queue is measured anew, the limit is a quarter of itself and the
queue moves more slowly, for up to a second. A fixed limit of {MOST} keeps the throughput too, but lets the queue grow at
the origin, where nobody takes turns and nobody is sent away.
",
        THROUGHPUT * 100.0
    );
    Ok(std::fs::write(docs.join("benchmarks-adaptive.md"), text)?)
}
