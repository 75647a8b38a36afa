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
pub const PROGRAM: Program = Program {
    tier: Tier::Edge,
    serve: |node, listener| Box::pin(start(node, listener)),
    pop: None,
    peers: None,
};

/// Serves `node` on `listener` in the current runtime until it is closed and drained.
///
/// # Errors
/// When the listener cannot be used.
pub async fn start(node: Arc<Node>, listener: TcpListener) -> std::io::Result<()> {
    serve(Pipeline::new(node, BehindEdge::default()), listener).await
}

/// The same for the other edges of its place. Whoever reaches it is believed: it must listen where clients
/// do not come.
///
/// # Errors
/// When the listener cannot be used.
pub async fn start_for_peers(node: Arc<Node>, listener: TcpListener) -> std::io::Result<()> {
    serve(Pipeline::for_tiers(node, BehindEdge::default()), listener).await
}

async fn serve(pipeline: Arc<Pipeline<BehindEdge>>, listener: TcpListener) -> std::io::Result<()> {
    let (metrics, drain) = (pipeline.node().metrics.serve.clone(), pipeline.node().drain.clone());
    proxy::serve::serve(listener, Front(pipeline), metrics, drain).await
}
