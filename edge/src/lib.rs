//! The cache server of a point of presence: a [`proxy::Pipeline`] over the sites' origins.
//!
//! Never: custom resources or a Kubernetes client; it runs on a snapshot. Start at [`PROGRAM`] for the
//! process, at [`start`] for an edge inside another program.

pub mod options;

use std::net::TcpListener;
use std::sync::Arc;

use proxy::{BehindEdge, Front, Node, Pipeline};
use tier::Program;
use wire::snapshot::Tier;

pub use options::Options;

/// The `edge` program.
pub const PROGRAM: Program =
    Program { tier: Tier::Edge, serve: |node, listener| Box::pin(start(node, listener)) };

/// Serves `node` on `listener` in the current runtime until it is closed and drained.
///
/// # Errors
/// When the listener cannot be used.
pub async fn start(node: Arc<Node>, listener: TcpListener) -> std::io::Result<()> {
    let (metrics, drain) = (node.metrics.serve.clone(), node.drain.clone());
    let front = Front(Pipeline::new(node, BehindEdge::default()));
    proxy::serve::serve(listener, front, metrics, drain).await
}
