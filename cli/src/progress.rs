//! What people see while an order is applied: one line that changes, or a line for each change where lines
//! cannot be written over. Nothing depends on it, so that writing it may fail.

use std::collections::BTreeMap;
use std::io::Write;

use wire::invalidation::{NodeState, Phase, PurgeReport};

use crate::failure::named;
use crate::show::{node_word, phase_word};

/// What was shown so far.
pub(crate) struct Progress {
    rewrites: bool,
    shown: bool,
    phase: Option<Phase>,
    nodes: BTreeMap<String, NodeState>,
    noted: String,
}

impl Progress {
    pub(crate) fn new(rewrites: bool) -> Self {
        Self { rewrites, shown: false, phase: None, nodes: BTreeMap::new(), noted: String::new() }
    }

    pub(crate) fn show(&mut self, report: &PurgeReport, err: &mut dyn Write) {
        self.noted.clear();
        if self.rewrites {
            // A line that wraps could not be taken back.
            let line: String = summary(report).chars().take(79).collect();
            let _ = write!(err, "\r\x1b[K{line}");
            let _ = err.flush();
            self.shown = true;
            return;
        }
        if self.phase != Some(report.phase) {
            self.phase = Some(report.phase);
            let _ = writeln!(err, "{}", summary(report));
        }
        for node in &report.nodes {
            let before = self.nodes.insert(node.name.clone(), node.state);
            // That nodes are waited for goes without saying, until one falls back to it.
            if before != Some(node.state) && (before.is_some() || node.state != NodeState::Waiting)
            {
                let _ = writeln!(err, "{}: {}", node.name, node_word(node.state));
            }
        }
    }

    /// Says something in between, once.
    pub(crate) fn note(&mut self, text: &str, err: &mut dyn Write) {
        if self.noted != text {
            text.clone_into(&mut self.noted);
            self.clear(err);
            let _ = writeln!(err, "{text}");
        }
    }

    /// Takes the line away, for what is to stay.
    pub(crate) fn clear(&mut self, err: &mut dyn Write) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(err, "\r\x1b[K");
            let _ = err.flush();
        }
    }
}

fn summary(report: &PurgeReport) -> String {
    let phase = phase_word(report.phase);
    if !report.replicated {
        return format!("{phase}: the log is away, the order waits for it");
    }
    let waiting = report.nodes.iter().filter(|n| n.state == NodeState::Waiting).count();
    let (all, done) = (report.nodes.len(), report.nodes.len() - waiting);
    match waiting {
        0 if report.counting => format!("{phase}: {done} of {all} nodes, counting what matched"),
        0 => format!("{phase}: {done} of {all} nodes"),
        _ => format!(
            "{phase}: {done} of {all} nodes, waiting for {}",
            named(report, NodeState::Waiting)
        ),
    }
}

#[cfg(test)]
mod tests;
