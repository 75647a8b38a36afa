//! The log with what real ones do to it, and what it knows of nodes.

use std::collections::{BTreeMap, HashSet};

use bus::log::{MemoryLog, Page};
use bus::{Acks, Member};
use wire::Seq;
use wire::invalidation::{Ack, Heartbeat, LogPosition};

/// Milliseconds of the log's clock between two entries.
const STRIDE: u64 = 10;
const MOST: usize = 60;
const MOST_BYTES: usize = 1 << 20;

pub struct Log {
    log: MemoryLog,
    epochs: u32,
    clock: u64,
    /// Ids given out in this log: none ever names two entries.
    given: HashSet<u64>,
    acks: BTreeMap<Seq, Vec<Ack>>,
    /// By node: what it said last, and when that arrived.
    members: Vec<Option<(Heartbeat, u64)>>,
}

impl Log {
    pub fn new(nodes: usize) -> Self {
        Self {
            log: MemoryLog::new("log-0".into(), MOST, MOST_BYTES),
            epochs: 0,
            clock: 1_000,
            given: HashSet::new(),
            acks: BTreeMap::new(),
            members: vec![None; nodes],
        }
    }

    pub fn append(&mut self, text: String) -> LogPosition {
        let ms = self.tick();
        self.log.append(text, ms)
    }

    /// Somebody writes what is no order.
    pub fn garble(&mut self) {
        let ms = self.tick();
        self.log.append_raw(Some("{".into()), Some(self.log.last()), ms);
    }

    fn tick(&mut self) -> u64 {
        self.clock += STRIDE;
        while !self.given.insert(self.clock) {
            self.clock += 1;
        }
        self.clock
    }

    pub fn read(&self, after: Seq, most: usize) -> Page {
        self.log.read(after, most)
    }

    /// Where the log ends.
    pub fn end(&self) -> LogPosition {
        LogPosition { epoch: self.log.epoch().to_owned(), seq: self.log.last() }
    }

    pub fn len(&self) -> usize {
        self.log.read(Seq::ZERO, MOST).records.len()
    }

    pub fn trim(&mut self, keep: usize) {
        self.log.trim(keep);
    }

    /// Fails over to a copy that lacks the newest `n` entries. `back`: its clock is behind, and nobody
    /// tells it which ids were given out.
    pub fn fail_over(&mut self, n: usize, back: bool) {
        let mut kept = self.log.read(Seq::ZERO, MOST);
        if n >= kept.records.len() || !back {
            self.log.lose_tail(n);
        } else {
            kept.records.truncate(kept.records.len() - n);
            let mut log = MemoryLog::new(kept.epoch, MOST, MOST_BYTES);
            for record in kept.records {
                let seq = log.append_raw(record.text, record.prev, record.seq.ms);
                assert_eq!(seq, record.seq);
            }
            self.clock = log.last().ms + 1 - STRIDE;
            self.log = log;
        }
        self.drop_acks();
    }

    /// Starts anew with nothing; its clock may be anywhere. Members are written back by their senders.
    pub fn restart(&mut self, clock: u64) {
        self.epochs += 1;
        self.log.restart_empty(format!("log-{}", self.epochs));
        self.given.clear();
        self.clock = clock;
        self.acks.clear();
    }

    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// Takes an acknowledgement, if it is of this log. It outlives its entry, but for entries that were lost.
    pub fn acknowledge(&mut self, epoch: &str, ack: Ack) {
        if epoch != self.log.epoch() || ack.seq > self.log.last() {
            return;
        }
        let known = self.acks.entry(ack.seq).or_default();
        known.retain(|other| other.node != ack.node);
        known.push(ack);
    }

    /// Loses all acknowledgements of one entry.
    pub fn lose_acks(&mut self, seq: Seq) {
        self.acks.remove(&seq);
    }

    pub fn acks(&self, position: &LogPosition) -> Acks {
        let here = position.epoch == self.log.epoch();
        let acks = self.acks.get(&position.seq).filter(|_| here);
        Acks {
            present: here && self.log.holds(position.seq),
            acks: acks.cloned().unwrap_or_default(),
        }
    }

    pub fn beat(&mut self, node: usize, beat: Heartbeat, now: u64) {
        self.members[node] = Some((beat, now));
    }

    pub fn leave(&mut self, node: usize) {
        self.members[node] = None;
    }

    pub fn members(&self, now: u64) -> Vec<Member> {
        let member = |(beat, at): &(Heartbeat, u64)| {
            let silent = std::time::Duration::from_millis(now - at);
            Member { beat: beat.clone(), silent, unheard: silent }
        };
        self.members.iter().flatten().map(member).collect()
    }

    fn drop_acks(&mut self) {
        let last = self.log.last();
        self.acks.retain(|seq, _| *seq <= last);
    }
}
