//! The figures as files in `docs/`.

use std::path::Path;

use e2e::machine::machine;
use e2e::redis::Redis;
use serde_json::json;

use crate::figures::{Figures, Phase, millis};

/// Writes `docs/benchmarks-purge.json` and `.md` anew.
/// `others` is what [`e2e::machine::busy`] said before.
pub(crate) async fn write(
    edges: usize,
    others: f64,
    redis: &Redis,
    phases: &[Phase],
) -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (processor, cores) = machine();
    let redis = redis.version().await?;
    let all: Vec<_> = phases
        .iter()
        .map(|phase| {
            json!({
                "name": phase.name, "applied": phase.applied.json(),
                "complete": phase.complete.json(),
            })
        })
        .collect();
    let page = json!({
        "command": "make bench-purge",
        "machine": { "processor": processor, "cores": cores },
        "other_load": (others * 100.0).round() / 100.0,
        "redis": redis, "edges": edges, "phases": all,
    });
    std::fs::write(docs.join("benchmarks-purge.json"), format!("{page:#}\n"))?;
    let mut text = format!(
        "# How fast a purge is everywhere

Written by `make bench-purge`; the same figures, with histograms, are in [benchmarks-purge.json](benchmarks-purge.json).

{edges} `edge` processes of one worker each and one Redis {redis}, all on one machine: {cores} cores of {processor},
which is also where orders come from. Each order goes to another edge's admin API, by URL and by tag in turn.
Other work took {:.0}% of these cores just before the run.

|  |  | p50 ms | p90 ms | p99 ms | longest ms |
| --- | --- | ---: | ---: | ---: | ---: |
",
        others * 100.0
    );
    for Phase { name, applied, complete } in phases {
        let what = format!("{} orders, {name}", applied.count());
        text += &row(&what, "applied on the last edge", applied);
        text += &row("", "complete at the sender", complete);
    }
    text += "
All times are of the sending process's monotonic clock, from just before the order is sent. *Applied* is when the
acknowledgement of the last edge was read back from Redis; an edge acknowledges after it applied the order, so the truth
is a little less. *Complete* is when the edge that took the order answered 200. Promised at the 99th percentile are
100 ms and one second.
";
    Ok(std::fs::write(docs.join("benchmarks-purge.md"), text)?)
}

fn row(what: &str, until: &str, figures: &Figures) -> String {
    let ms = |percent| format!("{:.1}", millis(figures.percentile(percent)));
    format!("| {what} | {until} | {} | {} | {} | {} |\n", ms(50.0), ms(90.0), ms(99.0), ms(100.0))
}
