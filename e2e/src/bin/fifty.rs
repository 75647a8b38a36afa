//! How long an order takes to fifty edges on one Redis: from its sending to its application on the last of
//! them, and to the answer that says so. `cargo run --release -p e2e --bin fifty -- [--edges 50] [--orders 500]
//! [--write]`, after `cargo build --release -p edge`. Exit code 1 when the promise is not kept (I7).
//!
//! All times are of this process's monotonic clock. *Applied* is when the acknowledgement of the last edge was
//! read back from Redis, to which an edge tells it after it applied the order: later than the truth by one way
//! there and one back. *Complete* is when the edge that took the order answered 200.

#[path = "../fifty/edges.rs"]
mod edges;
#[path = "../fifty/figures.rs"]
mod figures;
#[path = "../fifty/page.rs"]
mod page;
#[path = "../fifty/watch.rs"]
mod watch;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use e2e::origin::{Origin, Reply};
use e2e::redis::Redis;
use runtime::Clock;
use tokio::task::JoinSet;

use edges::Edges;
use figures::{Figures, Phase};
use watch::Watch;

/// Orders in a second of the second phase, and its length.
const RATE: u64 = 50;
const SECONDS: u64 = 10;
/// What is promised of the 99th percentile.
const APPLIED: Duration = Duration::from_millis(100);
const COMPLETE: Duration = Duration::from_secs(1);

struct Options {
    edges: usize,
    orders: usize,
    write: bool,
}

fn main() -> anyhow::Result<()> {
    let mut options = Options { edges: 50, orders: 500, write: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut number = || {
            let value = arguments.next().with_context(|| format!("{name} needs a number"))?;
            value.parse().with_context(|| format!("{name} {value}: not a number"))
        };
        match name.as_str() {
            "--edges" => options.edges = number()?,
            "--orders" => options.orders = number()?,
            "--write" => options.write = true,
            _ => bail!("{name}: unknown; there are --edges, --orders and --write"),
        }
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(&options))
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let clock = Clock::system();
    let others = e2e::machine::busy().await?;
    let redis = Redis::start().await?;
    let origin = Origin::start().await?;
    origin.on("*", |asked| {
        let name = asked.target.trim_start_matches('/');
        Reply::fresh(3600, asked.target.clone()).field("surrogate-key", name)
    });
    let edges = Arc::new(Edges::start(options.edges, &redis, &origin).await?);
    let watch = Arc::new(Watch::start(&redis, options.edges, clock.clone()).await?);
    edges.warm().await?;

    let mut one_by_one = Vec::new();
    for n in 0..options.orders {
        one_by_one.push(order(&edges, &watch, &clock, format!("one-{n}"), n).await?);
    }
    let mut steady = JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE)?);
    for n in 0..usize::try_from(RATE * SECONDS)? {
        tick.tick().await;
        let (edges, watch, clock) = (edges.clone(), watch.clone(), clock.clone());
        let id = format!("steady-{n}");
        steady.spawn(async move { order(&edges, &watch, &clock, id, n).await });
    }
    let steady = steady.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let phases = [
        Phase::new("one after another", &one_by_one),
        Phase::new(&format!("{RATE} a second for {SECONDS} s"), &steady),
    ];
    let mut out = std::io::stdout();
    writeln!(out, "other work took {:.0}% of the cores just before", others * 100.0)?;
    for Phase { name, applied, complete } in &phases {
        writeln!(out, "\n{name}, {} orders to {} edges", applied.count(), options.edges)?;
        write!(out, "\nto applied on the last edge\n{applied}")?;
        write!(out, "\nto complete at the sender\n{complete}")?;
    }
    if options.write {
        page::write(options.edges, others, &redis, &phases).await?;
    }
    let slow = |figures: &Figures, most| figures.percentile(99.0) >= most;
    if phases.iter().any(|p| slow(&p.applied, APPLIED) || slow(&p.complete, COMPLETE)) {
        bail!(
            "promised are {APPLIED:?} to applied and {COMPLETE:?} to complete, at the 99th percentile"
        );
    }
    Ok(())
}

/// Sends one order by way of some edge; how long until it was applied everywhere, and until it was complete.
async fn order(
    edges: &Edges,
    watch: &Watch,
    clock: &Clock,
    id: String,
    n: usize,
) -> anyhow::Result<(Duration, Duration)> {
    let applied = watch.expect(&id);
    let sent = clock.monotonic();
    edges.purge(&id, n).await?;
    let complete = clock.monotonic();
    let applied = tokio::time::timeout(Duration::from_secs(10), applied).await;
    let applied = applied.with_context(|| format!("{id} is not acknowledged by all"))??;
    Ok((applied - sent, complete - sent))
}
