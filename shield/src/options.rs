//! The command line of `shield`.

use clap::Parser;
use tier::NodeOptions;

/// Blue Origin's shield: the cache between edges and the origins that its snapshot names.
///
/// Whoever reaches its port is believed: what a request says about the invalidation log counts, and answers
/// have the surrogate keys of what is stored. So it must listen where only edges and other tiers of the same
/// network come, never where clients do.
///
/// SIGTERM drains: readiness goes, edges are asked to leave, what is in flight is finished. A changed
/// snapshot is taken over without a restart; a broken one is reported and the last good one goes on.
#[derive(Clone, Debug, Parser)]
#[command(name = "shield", version)]
#[command(mut_arg("listen", |a| {
    let help = "Where tiers, and nobody else, can connect, over HTTP/1.1 or cleartext HTTP/2";
    a.default_value("0.0.0.0:8081").help(help)
}))]
#[command(mut_arg("admin", |a| a.default_value("127.0.0.1:9091")))]
pub struct Options {
    /// What every tier's program can be told.
    #[command(flatten)]
    pub node: NodeOptions,
}

#[cfg(test)]
mod tests;
