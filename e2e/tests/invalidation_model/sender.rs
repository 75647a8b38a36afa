//! Who gives orders: the origin changes first, then the order is published; it is kept until it is complete,
//! and published again when the log lost it.

use std::time::Duration;

use bus::completion::{Judgement, judge};
use bus::{Acks, Member};
use wire::Invalidation;
use wire::invalidation::{Ack, LogPosition, Target};

use crate::rules::{Broken, What};
use crate::site::KEYS;
use crate::targets::{self, Names};
use crate::world::World;

/// Most orders that are not complete.
const OPEN: usize = 32;
/// Milliseconds that an acknowledgement may take after its node says that it read past the entry.
const UNANSWERED: u64 = 5_000;
/// Milliseconds until an order is published again, at first.
const PAUSE: u64 = 1_000;
const LONGEST_PAUSE: u64 = 16_000;

/// How many senders there are; each keeps its own orders.
pub const SENDERS: usize = 3;

pub struct Kept {
    /// Who keeps it.
    pub sender: usize,
    order: Invalidation,
    names: Names,
    /// What the origin had when it was published first, and when that was.
    published: Option<(u64, [u32; KEYS])>,
    position: Option<LogPosition>,
    complete: bool,
    lifted: bool,
    unanswered_since: Option<u64>,
    /// Not before this time is it published again, and how much later yet again.
    again_at: u64,
    pause: u64,
}

impl Kept {
    /// The URLs that it may name something of, as bits.
    pub fn keys(&self) -> u32 {
        let named = |key: &usize| (1..99).any(|version| self.names.has(*key, version));
        (0..KEYS).filter(named).map(|key| 1 << key).sum()
    }
}

impl World {
    /// The origin changes, and an order about that is to be given.
    pub fn change(&mut self) -> Option<What> {
        if self.kept.len() >= OPEN {
            return None;
        }
        self.orders += 1;
        let (order, names) = targets::order(&mut self.rng, format!("o{}", self.orders));
        for key in 0..KEYS {
            if names.has(key, self.origin.versions[key]) && self.rng.chance(85) {
                self.origin.versions[key] += 1;
                let version = u64::from(self.origin.versions[key]);
                self.trace.note(self.step, Some(key), None, "origin has version", version);
            }
        }
        self.keep(order, names);
        Some(What::Changes)
    }

    /// A ban is to be lifted: nothing is promised of it any more.
    pub fn lift(&mut self) -> Option<What> {
        let at = self.rng.below(self.lifts.len().max(1));
        if self.lifts.is_empty() || self.kept.len() >= OPEN {
            return None;
        }
        let id = self.lifts.swap_remove(at);
        self.promises.lift(&id);
        let same = |kept: &&mut Kept| kept.order.id == id;
        if let Some(kept) = self.kept.iter_mut().find(same) {
            kept.lifted = true;
        }
        self.orders += 1;
        let (mut order, _) = targets::order(&mut self.rng, format!("o{}", self.orders));
        order.target = Target::Lift(id);
        self.keep(order, Names::Nothing);
        Some(What::Lifts)
    }

    fn keep(&mut self, order: Invalidation, names: Names) {
        let (published, position, unanswered_since) = (None, None, None);
        let (complete, lifted, again_at, pause) = (false, false, 0, PAUSE);
        let sender = self.rng.below(SENDERS);
        let kept = Kept {
            sender,
            order,
            names,
            published,
            position,
            complete,
            lifted,
            unanswered_since,
            again_at,
            pause,
        };
        self.kept.push(kept);
    }

    pub fn publish(&mut self) -> Option<What> {
        let at = {
            let cut = self.senders_cut;
            self.rng.among(&self.kept, |kept| kept.position.is_none() && !cut[kept.sender])?
        };
        self.publish_at(at);
        Some(What::Publishes)
    }

    pub fn publish_at(&mut self, at: usize) {
        let kept = &mut self.kept[at];
        let text = serde_json::to_string(&kept.order).unwrap();
        let position = self.log.append(text);
        for key in (0..KEYS).filter(|key| (1..99).any(|version| kept.names.has(*key, version))) {
            self.trace.note(self.step, Some(key), None, "published at", position.seq.ms);
        }
        if kept.published.is_none() {
            kept.published = Some((self.now, self.origin.versions));
            if matches!(kept.order.target, Target::Ban(_)) && !kept.order.dry_run {
                self.lifts.push(kept.order.id.clone());
            }
        }
        kept.position = Some(position);
        kept.unanswered_since = None;
    }

    pub fn judge(&mut self) -> Option<What> {
        let at = {
            let cut = self.senders_cut;
            self.rng.among(&self.kept, |kept| kept.position.is_some() && !cut[kept.sender])?
        };
        self.judge_at(at);
        Some(What::Judges)
    }

    pub fn judge_at(&mut self, at: usize) {
        let Some(position) = self.kept[at].position.clone() else { return };
        let (mut members, mut acks) = (self.log.members(self.now), self.log.acks(&position));
        self.misjudge(&position, &mut members, &mut acks);
        let verdict = judge(&position, &members, &acks);
        let kept = &mut self.kept[at];
        if verdict.judgement == Judgement::Complete && !kept.complete {
            kept.complete = true;
            self.tally.note(What::Completed);
            if verdict.owed {
                self.tally.note(What::CompletedOwed);
            }
            let keys = kept.keys();
            for key in (0..KEYS).filter(|key| keys & (1 << key) != 0) {
                self.trace.note(self.step, Some(key), None, "complete", position.seq.ms);
            }
            if let (Some((at, versions)), false) = (&kept.published, kept.lifted) {
                let ends = match &kept.order.target {
                    Target::Ban(ban) => Some((ban.id.as_str(), at + ban.ttl_ms)),
                    _ => None,
                };
                self.promises.make(&kept.names, kept.order.how, versions, ends);
            }
        }
        if kept.complete && !verdict.owed {
            self.kept.swap_remove(at);
            return;
        }
        kept.unanswered_since =
            verdict.unanswered.then(|| kept.unanswered_since.unwrap_or(self.now));
        let unanswered = kept.unanswered_since.is_some_and(|since| self.now - since >= UNANSWERED);
        if (verdict.again || unanswered) && kept.again_at <= self.now {
            kept.again_at = self.now + kept.pause;
            kept.pause = (kept.pause * 2).min(LONGEST_PAUSE);
            self.tally.note(if verdict.again { What::Republished } else { What::Unanswered });
            self.publish_at(at);
        }
    }

    /// What a sender with a broken rule takes for true.
    fn misjudge(&self, position: &LogPosition, members: &mut [Member], acks: &mut Acks) {
        match self.broken {
            Some(Broken::LeaseEarly) => {
                members.iter_mut().for_each(|member| member.unheard += Duration::from_secs(14));
            }
            Some(Broken::Inferred) => {
                let past = |member: &&mut Member| {
                    member.beat.applied.as_ref().is_some_and(|applied| {
                        applied.epoch == position.epoch && applied.seq >= position.seq
                    })
                };
                acks.acks.extend(members.iter_mut().filter(past).map(|member| Ack {
                    node: member.beat.node.clone(),
                    seq: position.seq,
                    matched: Some(0),
                    error: None,
                }));
            }
            _ => {}
        }
    }
}
