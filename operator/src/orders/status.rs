//! What is said of orders. Pure.

use std::time::Duration;

use crds::{
    BanPhase, BanRuleStatus, PurgeNodeState, PurgeNodeStatus, PurgePhase, PurgeRequestStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use wire::invalidation::{NodeReport, NodeState, Phase, PurgeReport};

use crate::conditions::{Wanted, conditions};

/// Names told in a message at most; all are in the status.
const NAMED: usize = 5;

/// An order so far.
#[derive(Clone, Debug)]
pub(super) struct Told<'a> {
    pub(super) generation: i64,
    pub(super) report: &'a PurgeReport,
    /// For how long nodes have been applying it.
    pub(super) applying: Duration,
    pub(super) deadline: Duration,
    /// The log does not answer.
    pub(super) cut_off: bool,
}

/// Where an order stands, by its own deadline.
pub(super) fn phase(told: &Told<'_>) -> PurgePhase {
    match told.report.phase {
        Phase::Pending => PurgePhase::Pending,
        Phase::Applying if told.applying >= told.deadline => PurgePhase::Partial,
        Phase::Applying => PurgePhase::Applying,
        Phase::Complete => PurgePhase::Complete,
        Phase::Partial => PurgePhase::Partial,
        Phase::Failed => PurgePhase::Failed,
    }
}

/// Whether nothing more is expected in time.
pub(super) fn is_over(phase: PurgePhase) -> bool {
    match phase {
        PurgePhase::Complete | PurgePhase::Partial | PurgePhase::Failed => true,
        PurgePhase::Pending | PurgePhase::Applying => false,
    }
}

pub(super) fn purge(
    told: &Told<'_>,
    former: &PurgeRequestStatus,
    now: &Time,
) -> PurgeRequestStatus {
    let report = told.report;
    let phase = phase(told);
    let accepted = accepted(None);
    let complete = Wanted {
        type_: "Complete",
        holds: Some(phase == PurgePhase::Complete),
        reason: word(phase),
        message: message(told, phase),
    };
    let finished = is_over(phase).then(|| former.completion_time.clone().unwrap_or(now.clone()));
    PurgeRequestStatus {
        observed_generation: Some(told.generation),
        phase: Some(phase),
        seq: report.position.as_ref().map(ToString::to_string),
        id: Some(report.id.clone()),
        matched: Some(number(report.matched)),
        nodes: report.nodes.iter().map(node).collect(),
        start_time: Some(former.start_time.clone().unwrap_or(now.clone())),
        completion_time: finished,
        conditions: conditions(vec![accepted, complete], &former.conditions, told.generation, now),
    }
}

/// Of a purge that cannot be given: for now, or as it is.
pub(super) fn refused_purge(
    why: Why,
    generation: i64,
    former: &PurgeRequestStatus,
    now: &Time,
) -> PurgeRequestStatus {
    let waiting = Wanted {
        type_: "Complete",
        holds: Some(false),
        reason: why.reason(),
        message: why.message().to_owned(),
    };
    let wanted = vec![accepted(Some(&why)), waiting];
    PurgeRequestStatus {
        observed_generation: Some(generation),
        phase: Some(PurgePhase::Pending),
        conditions: conditions(wanted, &former.conditions, generation, now),
        ..former.clone()
    }
}

pub(super) fn ban(
    told: &Told<'_>,
    former: &BanRuleStatus,
    expires: &Time,
    now: &Time,
) -> BanRuleStatus {
    let report = told.report;
    let (phase, holds) = match report.phase {
        Phase::Failed => (Some(BanPhase::Failed), Some(false)),
        Phase::Pending => (None, None),
        Phase::Complete if !report.counting => (Some(BanPhase::Exhausted), Some(false)),
        _ => (Some(BanPhase::Active), Some(true)),
    };
    let order = self::phase(told);
    let active = match phase {
        Some(BanPhase::Exhausted) => spent(format!(
            "{} nodes held all that was stored before against it, {} matched; it can be deleted",
            report.nodes.len(),
            report.matched
        )),
        _ => Wanted { type_: "Active", holds, reason: word(order), message: message(told, order) },
    };
    BanRuleStatus {
        observed_generation: Some(told.generation),
        id: Some(report.id.clone()),
        seq: report.position.as_ref().map(ToString::to_string),
        phase,
        matched: Some(number(report.matched)),
        expires_at: Some(expires.clone()),
        conditions: conditions(
            vec![accepted(None), active],
            &former.conditions,
            told.generation,
            now,
        ),
    }
}

/// Of a ban whose time is over.
pub(super) fn exhausted(former: &BanRuleStatus, generation: i64, now: &Time) -> BanRuleStatus {
    let over = spent("its time is over; it can be deleted".to_owned());
    BanRuleStatus {
        phase: Some(BanPhase::Exhausted),
        conditions: conditions(vec![accepted(None), over], &former.conditions, generation, now),
        ..former.clone()
    }
}

fn spent(message: String) -> Wanted {
    Wanted { type_: "Active", holds: Some(false), reason: "Exhausted", message }
}

/// Of a ban that cannot be given.
pub(super) fn refused_ban(
    why: Why,
    generation: i64,
    former: &BanRuleStatus,
    now: &Time,
) -> BanRuleStatus {
    let inactive = Wanted {
        type_: "Active",
        holds: Some(false),
        reason: why.reason(),
        message: why.message().to_owned(),
    };
    BanRuleStatus {
        observed_generation: Some(generation),
        conditions: conditions(
            vec![accepted(Some(&why)), inactive],
            &former.conditions,
            generation,
            now,
        ),
        ..former.clone()
    }
}

/// Why an order is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It says what cannot be.
    Invalid(String),
    /// There is no log to give it to.
    NoLog,
    /// Too many orders wait.
    Full,
    /// The log takes no such order.
    Refused(String),
}

impl Why {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Invalid",
            Self::NoLog => "NoLog",
            Self::Full => "QueueFull",
            Self::Refused(_) => "Refused",
        }
    }

    pub(super) fn message(&self) -> &str {
        match self {
            Self::Invalid(reason) | Self::Refused(reason) => reason,
            Self::NoLog => "the operator knows no invalidation log: start it with --log-file",
            Self::Full => "too many orders wait for the invalidation log",
        }
    }

    /// Whether the resource is to blame.
    pub(super) fn is_its_own(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::Refused(_))
    }
}

fn accepted(why: Option<&Why>) -> Wanted {
    let why = why.filter(|why| why.is_its_own());
    Wanted {
        type_: "Accepted",
        holds: Some(why.is_none()),
        reason: why.map_or("Accepted", Why::reason),
        message: why.map_or("it is in order", Why::message).to_owned(),
    }
}

fn message(told: &Told<'_>, phase: PurgePhase) -> String {
    let report = told.report;
    let nodes = report.nodes.len();
    match phase {
        PurgePhase::Pending if told.cut_off => {
            "the invalidation log is away; it is kept and sent when the log is back".to_owned()
        }
        PurgePhase::Pending => "it waits for its turn".to_owned(),
        PurgePhase::Applying if nodes == 0 => "no node is known yet".to_owned(),
        PurgePhase::Applying => format!("waiting for {}", open(&report.nodes)),
        PurgePhase::Complete => format!(
            "{nodes} nodes in {} ms, {} matched{}",
            report.took_ms,
            report.matched,
            if report.counting { " so far" } else { "" },
        ),
        PurgePhase::Partial if nodes == 0 => "no node is known".to_owned(),
        PurgePhase::Partial => {
            format!("{} did not answer in time and may serve what is stale", open(&report.nodes))
        }
        PurgePhase::Failed => {
            let error = report.nodes.iter().find_map(|node| node.error.as_deref());
            format!(
                "{} cannot apply it: {}",
                failed(&report.nodes),
                error.unwrap_or("no reason given")
            )
        }
    }
}

fn open(nodes: &[NodeReport]) -> String {
    names(nodes.iter().filter(|node| node.state == NodeState::Waiting))
}

fn failed(nodes: &[NodeReport]) -> String {
    names(nodes.iter().filter(|node| node.state == NodeState::Failed))
}

fn names<'a>(nodes: impl Iterator<Item = &'a NodeReport>) -> String {
    let names: Vec<_> = nodes.map(|node| node.name.as_str()).collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

fn node(node: &NodeReport) -> PurgeNodeStatus {
    PurgeNodeStatus {
        name: node.name.clone(),
        state: match node.state {
            NodeState::Done => PurgeNodeState::Done,
            NodeState::Waiting => PurgeNodeState::Waiting,
            NodeState::Revalidating => PurgeNodeState::Revalidating,
            NodeState::Failed => PurgeNodeState::Failed,
        },
        matched: node.matched.map(number),
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn word(phase: PurgePhase) -> &'static str {
    match phase {
        PurgePhase::Pending => "Pending",
        PurgePhase::Applying => "Applying",
        PurgePhase::Complete => "Complete",
        PurgePhase::Partial => "Partial",
        PurgePhase::Failed => "Failed",
    }
}

#[cfg(test)]
mod tests;
