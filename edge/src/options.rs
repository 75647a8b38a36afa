//! The command line of `edge`.

use clap::Parser;
use tier::NodeOptions;

/// Blue Origin's edge: a shared HTTP cache in front of the origins that its snapshot names.
///
/// SIGTERM drains: readiness goes, clients are asked to leave, what is in flight is finished. A changed
/// snapshot is taken over without a restart; a broken one is reported and the last good one goes on.
#[derive(Clone, Debug, Parser)]
#[command(name = "edge", version)]
#[command(mut_arg("listen", |a| {
    a.default_value("0.0.0.0:8080").help("Where clients connect, over HTTP/1.1 or cleartext HTTP/2")
}))]
#[command(mut_arg("admin", |a| a.default_value("127.0.0.1:9090")))]
pub struct Options {
    /// What every tier's program can be told.
    #[command(flatten)]
    pub node: NodeOptions,
}

#[cfg(test)]
mod tests;
