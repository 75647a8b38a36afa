//! How a command can fail, in one line: what, where, what to do.

use std::io;

use wire::invalidation::{NodeState, PurgeReport};

use crate::api::ApiError;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// The API did not do it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The user said no.
    #[error("nothing was purged")]
    Declined,
    /// Nodes are missing.
    #[error("{}", partial(.0))]
    Partial(Box<PurgeReport>),
    /// Nodes could not apply it.
    #[error("{}", failed(.0))]
    Failed(Box<PurgeReport>),
    /// It takes longer than one wants to wait, in seconds.
    #[error("{}", not_yet(.0, *.1))]
    NotYet(Box<PurgeReport>, u64),
    /// The order was accepted; what became of it is not known.
    #[error("order {id} was accepted, but then: {error}; see `blue-origin status {id}`")]
    LostSight {
        /// The order.
        id: String,
        /// Why.
        error: ApiError,
    },
    /// No node can say where it is.
    #[error("{url}: {reason}")]
    Nowhere {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// No node is called that.
    #[error("there is no node `{0}` behind {1}; there is {2}")]
    NoNode(String, String, String),
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}

/// The nodes in some state, by name, not too many of them.
pub(crate) fn named(report: &PurgeReport, state: NodeState) -> String {
    const MOST: usize = 8;
    let all: Vec<_> =
        report.nodes.iter().filter(|n| n.state == state).map(|n| n.name.as_str()).collect();
    match all.len().saturating_sub(MOST) {
        0 => all.join(", "),
        more => format!("{} and {more} more", all[..MOST].join(", ")),
    }
}

fn waiting(report: &PurgeReport) -> String {
    match named(report, NodeState::Waiting) {
        names if names.is_empty() => "some nodes".to_owned(),
        names => names,
    }
}

fn partial(report: &PurgeReport) -> String {
    format!(
        "partial: {} may serve what is stale until the log is heard there again; see `blue-origin status {}`, \
         and give up a node that will not come back with `blue-origin forget NODE`",
        waiting(report),
        report.id
    )
}

fn failed(report: &PurgeReport) -> String {
    let nodes = match named(report, NodeState::Failed) {
        names if names.is_empty() => "nodes".to_owned(),
        names => names,
    };
    let reason = report.nodes.iter().find_map(|node| node.error.as_deref());
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("failed: {nodes} could not apply it{reason}; see `blue-origin status {}`", report.id)
}

fn not_yet(report: &PurgeReport, seconds: u64) -> String {
    let why = match report.replicated {
        true => format!("waiting for {}", waiting(report)),
        false => "the log is away, and the order waits for it".to_owned(),
    };
    format!(
        "not complete after {seconds} s: {why}; it goes on without you, see `blue-origin status {}`",
        report.id
    )
}
