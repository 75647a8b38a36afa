//! How long a place stays in answers after both its edges were killed, and how its clients come back to it.
//! `cargo run --release -p e2e --bin failover -- [--rounds 20] [--write]`, after `cargo build --release -p edge -p
//! geodns`. Exit code 1 when the promise is not kept (R6).
//!
//! The times are of this process's monotonic clock: from just before the first kill to when the last answer with the
//! place was read.

#[path = "../failover/page.rs"]
mod page;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use e2e::failover::{Figures, Load, PLACES, Scene, Wrong};
use e2e::program::Program;

/// What is promised of the 95th percentile.
const GONE: Duration = Duration::from_secs(2);

fn main() -> anyhow::Result<()> {
    let (mut rounds, mut write) = (20_usize, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--rounds" => {
                let value = arguments.next().context("--rounds needs a number")?;
                rounds = value.parse().with_context(|| format!("{value}: not a number"))?;
            }
            "--write" => write = true,
            _ => bail!("{name}: unknown; there are --rounds and --write"),
        }
    }
    ensure!(rounds > 0, "--rounds must be 1 or more");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(rounds, write))
}

fn start(name: &str, arguments: &[&str]) -> std::io::Result<Program> {
    let path = std::env::current_exe()?.with_file_name(name);
    Program::start_at(&path, arguments)
}

async fn measure(rounds: usize, write: bool) -> anyhow::Result<()> {
    let others = e2e::machine::busy().await?;
    let built = "build them first: cargo build --release -p edge -p geodns";
    let mut scene = Scene::start(start).await.context(built)?;
    let load = Load::start(scene.dns);
    let mut done = Vec::new();
    for nth in 0..rounds {
        done.push(scene.round(nth % PLACES.len(), &load).await?);
    }
    let (answers, wrong) = load.counts();
    let figures = Figures(&done);
    let mut out = std::io::stdout();
    writeln!(out, "other work took {:.0}% of the cores just before", others * 100.0)?;
    writeln!(out, "\nfrom the kill to the last answer with the place, {rounds} times\n{figures}")?;
    let Wrong { empty, errors, timeouts } = wrong;
    writeln!(out, "{answers} answers; {empty} empty, {errors} errors, {timeouts} without answer")?;
    if write {
        page::write(&figures, answers, wrong, others)?;
    }
    ensure!(wrong == Wrong::default(), "no answer may be lost or empty");
    let gone = figures.gone_after(95.0);
    ensure!(gone < GONE, "promised are {GONE:?} at the 95th percentile, it was {gone:?}");
    Ok(())
}
