//! What an adaptive limit makes of an origin that loses half of its capacity and gets it back, beside a fixed
//! one. `cargo run --release -p e2e --bin adaptive -- [--seconds 20] [--write]`, after `cargo build --release
//! -p edge`. Exit code 1 when the promise is not kept.
//!
//! An `edge` process stands before an origin of so many workers, each of which has a request for a fixed time;
//! what they cannot take at once waits at the origin. Requests come at a fixed rate above all that the origin
//! can do, each for another URL, whatever became of those before: the load does not slow down with the origin.

#[path = "../adaptive/chart.rs"]
mod chart;
#[path = "../adaptive/figures.rs"]
mod figures;
#[path = "../adaptive/page.rs"]
mod page;
#[path = "../adaptive/run.rs"]
mod run;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};

use run::Run;

/// The origin at its best: so many requests at once.
const WORKERS: u32 = 32;
/// How long each of them has a request.
const SERVICE: Duration = Duration::from_millis(40);
/// Requests a second.
const RATE: u32 = 1000;
/// How many wait at the edge.
const QUEUE: u32 = 64;
/// The fixed limit, and the most that the adaptive one may become.
const MOST: u32 = 256;
/// What is promised of the throughput, in parts of the capacity.
const THROUGHPUT: f64 = 0.85;
/// What is promised of the 99th percentile besides the way through the queue, in times of [`SERVICE`].
const LATENCY: f64 = 3.0;
/// How many times as long as at the origin's pace the way through the queue may take: the limit falls to a
/// quarter for a moment when latency without a queue is measured anew, and the queue moves more slowly then.
const MEASURING: f64 = 2.0;

fn main() -> anyhow::Result<()> {
    let (mut seconds, mut write) = (20, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--seconds" => {
                let value = arguments.next().context("--seconds needs a number")?;
                seconds = value.parse().with_context(|| format!("{value}: not a number"))?;
            }
            "--write" => write = true,
            _ => bail!("{name}: unknown; there are --seconds and --write"),
        }
    }
    if seconds < 6 {
        bail!("--seconds {seconds}: the limit needs some to settle; give 6 or more");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(seconds, write))
}

async fn measure(seconds: u32, write: bool) -> anyhow::Result<()> {
    let others = e2e::machine::busy().await?;
    let mut out = std::io::stdout();
    writeln!(out, "other work took {:.0}% of the cores just before", others * 100.0)?;
    let mut runs = Vec::new();
    for adaptive in [true, false] {
        let run = Run::new(adaptive, seconds).await?;
        write!(out, "\n{}\n{}", run.name(), page::table(&run.figures()))?;
        runs.push(run);
    }
    if write {
        page::write(&runs, others)?;
    }
    let broken: Vec<_> = runs[0].figures().into_iter().filter(|phase| !phase.is_kept()).collect();
    if !broken.is_empty() {
        bail!("not as promised: {}", page::table(&broken));
    }
    Ok(())
}
