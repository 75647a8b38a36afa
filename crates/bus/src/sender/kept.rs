//! One order that a sender keeps.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use wire::invalidation::{Invalidation, LogPosition, NodeReport, Phase, PurgeReport};

use crate::completion::{Judgement, Verdict};

/// The pause before an order is published yet again, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long an acknowledgement may take after its node says that it read past the entry.
const UNANSWERED: Duration = Duration::from_secs(5);

/// How closely an order is watched.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// Whenever anything changed.
    Close,
    /// Now and then.
    Loose,
    /// Not at all: nothing can change.
    Over,
}

#[derive(Debug)]
pub(super) struct Kept {
    id: String,
    /// Gone once nothing can change: only the report is kept.
    order: Option<Invalidation>,
    pub(super) bytes: usize,
    accepted: Duration,
    /// When it came into the log for the first time.
    published: Option<Duration>,
    pub(super) position: Option<LogPosition>,
    /// It waits in the queue, for the first time or again.
    pub(super) queued: bool,
    phase: Phase,
    nodes: Vec<NodeReport>,
    /// The most that each node matched, in whichever entry: published again, there is less to match.
    told: HashMap<String, u64>,
    counting: bool,
    /// Nodes take so long to count that it is no longer watched closely.
    slow: bool,
    /// Complete only because nodes that are cut off revalidate: they must still find it.
    owed: bool,
    /// When it was complete or refused.
    ended: Option<Duration>,
    over: bool,
    pub(super) refused: Option<String>,
    /// What it orders, to tell another order under the same id.
    says: u64,
    again_at: Duration,
    pause: Duration,
    unanswered_since: Option<Duration>,
}

/// A digest of what an order says, whenever it was given.
pub(super) fn says(order: &Invalidation) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?} {:?} {}", order.target, order.how, order.dry_run).hash(&mut hasher);
    hasher.finish()
}

impl Kept {
    /// Whether an order says the same.
    pub(super) fn is(&self, order: &Invalidation) -> bool {
        self.says == says(order)
    }

    pub(super) fn new(order: Invalidation, bytes: usize, now: Duration) -> Self {
        let says = says(&order);
        Self {
            id: order.id.clone(),
            order: Some(order),
            bytes,
            accepted: now,
            published: None,
            position: None,
            queued: true,
            phase: Phase::Pending,
            nodes: Vec::new(),
            told: HashMap::new(),
            counting: false,
            slow: false,
            owed: false,
            ended: None,
            over: false,
            refused: None,
            says,
            again_at: Duration::ZERO,
            pause: PAUSE,
            unanswered_since: None,
        }
    }

    pub(super) fn order(&self) -> Option<&Invalidation> {
        self.order.as_ref()
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn watch(&self) -> Watch {
        match self.phase {
            _ if self.over => Watch::Over,
            Phase::Pending | Phase::Applying => Watch::Close,
            Phase::Complete if self.counting && !self.slow => Watch::Close,
            Phase::Complete | Phase::Partial | Phase::Failed => Watch::Loose,
        }
    }

    /// Whether its report has been kept long enough.
    pub(super) fn expired(&self, keep: Duration, now: Duration) -> bool {
        self.over && self.ended.is_some_and(|ended| now.saturating_sub(ended) >= keep)
    }

    /// How long until it must be said to be partial, or to be slow to count.
    pub(super) fn left(&self, deadline: Duration, now: Duration) -> Option<Duration> {
        let since = match self.phase {
            Phase::Applying => self.published,
            Phase::Complete if self.counting && !self.slow => self.ended,
            _ => None,
        };
        Some((since? + deadline).saturating_sub(now))
    }

    pub(super) fn give_up(&mut self) {
        match self.phase {
            Phase::Applying => self.phase = Phase::Partial,
            _ => self.slow = true,
        }
    }

    pub(super) fn published(&mut self, position: LogPosition, now: Duration) {
        self.queued = false;
        self.position = Some(position);
        self.unanswered_since = None;
        if self.published.replace(self.published.unwrap_or(now)).is_some() {
            self.again_at = now + self.pause;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        } else {
            self.phase = Phase::Applying;
        }
    }

    /// Another sender saw that it is complete.
    pub(super) fn complete(&mut self, now: Duration) {
        (self.phase, self.ended, self.counting) = (Phase::Complete, Some(now), true);
    }

    pub(super) fn refuse(&mut self, reason: String, now: Duration) {
        self.queued = false;
        self.refused = Some(reason);
        if self.phase != Phase::Complete {
            self.phase = Phase::Failed;
            self.ended = Some(now);
        }
        self.end();
    }

    /// Takes in what is known of its entry. `true`: it must be published again.
    pub(super) fn judged(&mut self, verdict: Verdict, now: Duration) -> bool {
        for node in &verdict.nodes {
            if let Some(matched) = node.matched {
                let most = self.told.entry(node.name.clone()).or_default();
                *most = matched.max(*most);
            }
        }
        self.counting = verdict.counting;
        self.nodes = verdict.nodes;
        for node in &mut self.nodes {
            node.matched = self.told.get(&node.name).copied();
        }
        match verdict.judgement {
            Judgement::Complete if self.phase != Phase::Complete => {
                self.phase = Phase::Complete;
                self.ended = Some(now);
            }
            // Once complete, always complete: whoever had to had applied it.
            Judgement::Failed if self.phase != Phase::Complete => self.phase = Phase::Failed,
            _ => {}
        }
        if verdict.judgement == Judgement::Complete {
            self.owed = verdict.owed;
        }
        if self.phase == Phase::Complete && !self.owed {
            // Whatever becomes of its entry and of what is known of it: given anew, it would act anew.
            if !verdict.counting {
                self.end();
            }
            return false;
        }
        self.unanswered_since = verdict.unanswered.then(|| self.unanswered_since.unwrap_or(now));
        let unanswered =
            self.unanswered_since.is_some_and(|since| now.saturating_sub(since) >= UNANSWERED);
        let again = (verdict.again || unanswered) && !self.queued && now >= self.again_at;
        self.queued |= again;
        again
    }

    /// The report; `nodes` are those it must reach as long as nothing was heard of any.
    pub(super) fn report(&self, nodes: &[NodeReport], now: Duration) -> PurgeReport {
        let took = self.ended.unwrap_or(now).saturating_sub(self.accepted);
        PurgeReport {
            id: self.id.clone(),
            phase: self.phase,
            position: self.position.clone(),
            replicated: self.position.is_some() && !self.queued,
            matched: self.told.values().sum(),
            counting: self.counting,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            nodes: if self.nodes.is_empty() && !self.over {
                nodes.to_vec()
            } else {
                self.nodes.clone()
            },
        }
    }

    fn end(&mut self) {
        self.over = true;
        self.order = None;
        self.bytes = 0;
    }
}
