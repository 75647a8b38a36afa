//! What the program does for the chart besides operating: short, then it ends. Start at [`run`].

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::options::Options;

mod check;

pub use check::{Check, Unready};

/// Blue Origin's operator: makes pods, Services and documents of EdgePools and OriginShields, and brings PurgeRequests
/// and BanRules to every node.
///
/// Several may run: one leads, the others wait. Without any, traffic goes on and changes wait.
#[derive(Clone, Debug, Parser)]
#[command(name = "operator", version, subcommand_negates_reqs = true)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Command {
    /// Instead of operating.
    #[command(subcommand)]
    pub errand: Option<Errand>,

    /// How to operate.
    #[command(flatten)]
    pub options: Option<Options>,
}

/// What is done instead.
#[derive(Clone, Debug, Subcommand)]
pub enum Errand {
    /// Waits until programs answer that they are ready, and the log does
    Check(Check),
}

/// How long the log has for one answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Runs an errand to its end.
///
/// # Errors
/// When it did not succeed.
pub fn run(errand: Errand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match errand {
        Errand::Check(asked) => Ok(runtime.block_on(asked.run())?),
    }
}

#[cfg(test)]
mod tests;
