//! Whether every node that may serve has applied an order: pure, from what the log knows.
//!
//! A node is done with an entry when it acknowledged *that* entry, and in no other case: how far it says
//! that it read is no proof, since a log may have lost what it read, or never had what it should read.
//!
//! A node that revalidates when cut off counts as good once its lease has run out. This holds when the
//! node counts its lease from the sending of its last heartbeat that succeeded, gives a heartbeat up after
//! less than [`MARGIN`], and, once its lease ran out, trusts what it stored only after it caught up again.

use std::collections::HashMap;
use std::time::Duration;

use wire::invalidation::{Ack, LogPosition, NodeReport, NodeState, OnLogLoss};

use crate::{Acks, Member};

/// How much longer than its lease a node must have been silent: a heartbeat may be on its way.
pub const MARGIN: Duration = Duration::from_secs(2);

/// What is to be said of an order, and to be done about it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Every node is done, or validates whatever it serves.
    Complete,
    /// Nodes are still to come.
    Waiting,
    /// Nodes are still to come, and cannot: the entry is no longer in the log. Publish it again.
    Lost,
    /// Nodes could not apply it, whatever becomes of the others.
    Failed,
}

/// An order, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be said of it.
    pub judgement: Judgement,
    /// Every node that it must reach.
    pub nodes: Vec<NodeReport>,
    /// Matches told so far.
    pub matched: u64,
    /// Nodes that applied it are still counting. Of those that are gone nothing more will come.
    pub counting: bool,
    /// Nodes that say that they read past the entry never acknowledged it: if that stays so, the
    /// acknowledgement was lost on its way.
    pub unanswered: bool,
    /// Nodes are cut off and count as good only because they revalidate: they must still find the
    /// entry when they come back.
    pub owed: bool,
    /// The entry is gone from the log and somebody still needs it: publish the order again.
    pub again: bool,
}

/// Judges the entry at `position`. Without any member an order waits: nobody is known to have applied it.
pub fn judge(position: &LogPosition, members: &[Member], acks: &Acks) -> Verdict {
    let by_node: HashMap<&str, &Ack> = acks
        .acks
        .iter()
        .filter(|ack| ack.seq == position.seq)
        .map(|ack| (ack.node.as_str(), ack))
        .collect();
    let nodes: Vec<_> = members
        .iter()
        .map(|member| report(member, by_node.get(member.beat.node.as_str()).copied()))
        .collect();
    let any = |state| nodes.iter().any(|node| node.state == state);
    let open = any(NodeState::Waiting) || members.is_empty();
    let judgement = if open && !acks.present {
        Judgement::Lost
    } else if any(NodeState::Failed) {
        Judgement::Failed
    } else if open {
        Judgement::Waiting
    } else {
        Judgement::Complete
    };
    let unanswered = members.iter().any(|member| {
        let read_past =
            member.beat.applied.as_ref().is_some_and(|applied| {
                applied.epoch == position.epoch && applied.seq >= position.seq
            });
        read_past && !by_node.contains_key(member.beat.node.as_str())
    });
    Verdict {
        judgement,
        matched: by_node.values().filter_map(|ack| ack.matched).sum(),
        counting: members.iter().any(|member| {
            let ack = by_node.get(member.beat.node.as_str());
            ack.is_some_and(|ack| ack.matched.is_none() && ack.error.is_none())
        }),
        unanswered,
        owed: any(NodeState::Revalidating),
        again: !acks.present && (open || any(NodeState::Revalidating)),
        nodes,
    }
}

fn report(member: &Member, ack: Option<&Ack>) -> NodeReport {
    let state = match ack {
        Some(Ack { error: Some(_), .. }) => NodeState::Failed,
        Some(_) => NodeState::Done,
        None if revalidates(member) => NodeState::Revalidating,
        None => NodeState::Waiting,
    };
    NodeReport {
        name: member.beat.node.clone(),
        state,
        matched: ack.and_then(|ack| ack.matched),
        error: ack.and_then(|ack| ack.error.clone()),
    }
}

/// Whether the node has everything validated by now, as far as anybody else can know.
fn revalidates(member: &Member) -> bool {
    let lease = Duration::from_millis(member.beat.lease_ms);
    member.beat.on_log_loss == OnLogLoss::Revalidate
        && member.unheard > lease.saturating_add(MARGIN)
}

#[cfg(test)]
mod tests;
