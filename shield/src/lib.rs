//! The cache between edges and origins: a [`proxy::Pipeline`] over the sites' origins, asked by tiers alone.
//!
//! Never: custom resources or a Kubernetes client; it runs on a snapshot. Never clients either: whoever
//! reaches it is believed. Start at [`PROGRAM`] for the process, at [`start`] for a shield inside another
//! program.

pub mod options;

use std::net::TcpListener;
use std::sync::Arc;

use proxy::{BehindShield, Front, Node, Pipeline};
use tier::Program;
use wire::snapshot::Tier;

pub use options::Options;

/// The `shield` program.
pub const PROGRAM: Program = Program {
    tier: Tier::Shield,
    serve: |node, listener| Box::pin(start(node, listener)),
    pop: None,
    peers: None,
};

/// Serves `node` on `listener`, for other tiers, in the current runtime until it is closed and drained.
///
/// # Errors
/// When the listener cannot be used.
pub async fn start(node: Arc<Node>, listener: TcpListener) -> std::io::Result<()> {
    let (metrics, drain) = (node.metrics.serve.clone(), node.drain.clone());
    let front = Front(Pipeline::for_tiers(node, BehindShield::default()));
    proxy::serve::serve(listener, front, metrics, drain).await
}
