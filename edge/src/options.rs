//! The command line of `edge`.

use std::net::SocketAddr;

use clap::Parser;
use tier::{NodeOptions, Peers, Program};

use crate::{PROGRAM, start_for_peers};

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

    /// The point of presence that it stands in, as its pool names it. It tells the log, where a GeoDNS finds its load;
    /// with --peer-listen, the fleet's ring `pop/POOL/POP` has it and its peers
    #[arg(long, value_name = "NAME")]
    pub pop: Option<String>,

    /// Where the other edges of the place reach it, and nobody else does: whoever comes here is believed
    #[arg(long, value_name = "ADDRESS", requires_all = ["pop", "fleet"])]
    pub peer_listen: Option<SocketAddr>,
}

impl Options {
    /// The program, with its place among other edges if it has one.
    pub fn program(&self) -> Program {
        let peers = self.peer_listen.map(|listen| Peers {
            listen,
            serve: |node, listener| Box::pin(start_for_peers(node, listener)),
        });
        Program { pop: self.pop.clone(), peers, ..PROGRAM }
    }
}

#[cfg(test)]
mod tests;
