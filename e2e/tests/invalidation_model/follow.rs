//! A node's loop: from the log to the store to the acknowledgement; its heartbeats, its lease, its sweeper.

use std::time::Duration;

use bus::Entry;
use bus::reader::{Delivery, GapReason};
use cache::{Keys, Order, Swept};
use semantics::Timestamp;
use wire::invalidation::{Ack, Url};

use crate::node::Node;
use crate::rules::{Broken, What};
use crate::world::World;

/// How long bans are left to lazy checks.
const GRACE: Duration = Duration::from_secs(3);
/// A heartbeat that takes longer is given up.
const GIVEN_UP: u64 = 1_900;

impl World {
    /// A node takes the next delivery, with a look at the log if need be.
    pub fn read(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up && node.joined)?;
        self.read_at(at);
        Some(What::Reads)
    }

    /// False when there is nothing new.
    pub fn read_at(&mut self, at: usize) -> bool {
        let most = self.rng.below(5) + 1;
        let node = &mut self.nodes[at];
        let delivery = match node.reader.deliver() {
            Some(delivery) => delivery,
            None if node.cut => {
                node.reader.away();
                return false;
            }
            None => {
                let mut page = self.log.read(node.reader.after(), most);
                if self.broken == Some(Broken::Prev) {
                    let mut before = node.reader.after();
                    for record in &mut page.records {
                        record.prev = Some(before);
                        before = record.seq;
                    }
                }
                node.reader.take(page);
                match node.reader.deliver() {
                    Some(delivery) => delivery,
                    None => return false,
                }
            }
        };
        self.deliver(at, delivery);
        true
    }

    fn deliver(&mut self, at: usize, delivery: Delivery) {
        match delivery {
            Delivery::Event(entry) => self.apply(at, entry),
            Delivery::Gap(reason) => {
                self.tally.note(match reason {
                    GapReason::Epoch => What::GapEpoch,
                    GapReason::Trimmed => What::GapTrimmed,
                    GapReason::Backwards => What::GapBackwards,
                    GapReason::Broken => What::GapBroken,
                });
                self.trace.note(self.step, None, Some(at), reason.as_str(), 0);
                let node = &mut self.nodes[at];
                if self.broken != Some(Broken::GapKept) {
                    node.cache.distrust();
                }
            }
            Delivery::CaughtUp(position) => {
                let node = &mut self.nodes[at];
                // What it will never read is as good as applied: it was empty, and filled after.
                node.cache.skip(position.seq);
                node.ready = true;
            }
            Delivery::Away => {}
        }
    }

    fn apply(&mut self, at: usize, entry: Entry) {
        let seq = entry.position.seq;
        let now = self.time();
        let cache = &self.nodes[at].cache;
        let (matched, error) = match entry.order {
            Ok(order) => {
                let order = Order::new(&order, keys).unwrap();
                match cache.apply(seq, &order, now) {
                    Ok(applied) => (applied.matched, None),
                    Err(error) => (None, Some(error.to_string())),
                }
            }
            Err(malformed) => {
                self.tally.note(What::Malformed);
                cache.skip(seq);
                (None, Some(malformed.to_string()))
            }
        };
        self.trace.note(self.step, None, Some(at), "applied", seq.ms);
        self.owe(at, entry.position.epoch, Ack { node: String::new(), seq, matched, error });
    }

    fn owe(&mut self, at: usize, epoch: String, ack: Ack) {
        let node = &mut self.nodes[at];
        let ack = Ack { node: node.name.clone(), ..ack };
        node.acks.push((epoch, ack));
    }

    /// Some acknowledgements arrive.
    pub fn acknowledge(&mut self) -> Option<What> {
        let tells = |node: &Node| node.up && !node.cut && !node.acks.is_empty();
        let at = self.rng.among(&self.nodes, tells)?;
        let some = self.rng.below(self.nodes[at].acks.len()) + 1;
        self.acknowledge_at(at, some);
        Some(What::Acknowledges)
    }

    pub fn acknowledge_at(&mut self, at: usize, some: usize) {
        let lost = self.rng.chance(2);
        for (epoch, ack) in self.nodes[at].acks.drain(..some) {
            if lost {
                self.tally.note(What::LostAck);
            } else {
                self.log.acknowledge(&epoch, ack);
            }
        }
    }

    /// A heartbeat is sent, or one that was sent arrives.
    pub fn beat(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up)?;
        self.beat_at(at);
        Some(What::Beats)
    }

    pub fn beat_at(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let Some((sent, beat)) = node.beat.take() else {
            node.beat = Some((self.now, node.heartbeat()));
            return;
        };
        if node.cut {
            return;
        }
        self.log.beat(at, beat, self.now);
        if self.now - sent > GIVEN_UP {
            return;
        }
        let lapsed = node.lapsed(self.now);
        node.heard = node.heard.max(sent);
        if lapsed && node.joined && !node.lapsed(self.now) {
            self.tally.note(What::LeaseReturned);
            self.trace.note(self.step, None, Some(at), "is back in its lease", sent);
            let trusts = matches!(self.broken, Some(Broken::TrustsAgain | Broken::LeaseIgnored));
            if trusts {
                while !self.nodes[at].reader.at_end() && self.read_at(at) {}
            } else {
                // Orders may be complete that it never read, and that the log has lost since.
                let applied = node.cache.applied();
                node.cache.distrust();
                node.cache.skip(applied);
            }
        }
        self.nodes[at].joined = true;
    }

    /// One piece of work of a sweeper.
    pub fn sweep(&mut self) -> Option<What> {
        let now = self.time();
        let due = |node: &Node| {
            node.sweep.is_some()
                || node.cache.sweep_due(GRACE).is_some_and(|at| at.is_none_or(|at| at <= now))
        };
        let at = self.rng.among(&self.nodes, |node| node.up && due(node))?;
        self.sweep_at(at, GRACE);
        Some(What::Sweeps)
    }

    pub fn sweep_at(&mut self, at: usize, grace: Duration) -> bool {
        let now = self.time();
        let node = &mut self.nodes[at];
        let mut sweep = match node.sweep.take() {
            Some(sweep) => sweep,
            None => node.cache.begin_sweep(grace, now),
        };
        match node.cache.sweep(&mut sweep, now) {
            Swept::More => {
                node.sweep = Some(sweep);
                false
            }
            Swept::Done(counted) => {
                let epoch = node.epoch().map(str::to_owned);
                for counted in counted {
                    self.tally.note(What::Counted);
                    let matched = Some(counted.matched);
                    let ack = Ack { node: String::new(), seq: counted.seq, matched, error: None };
                    if let Some(epoch) = &epoch {
                        self.owe(at, epoch.clone(), ack);
                    }
                }
                true
            }
        }
    }

    pub fn forget(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up)?;
        self.nodes[at].cache.forget(self.time());
        Some(What::Forgets)
    }

    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.now as i64)
    }
}

/// Where a URL is stored: some sites add fields to the key.
fn keys(url: &Url) -> Keys {
    let key = format!("http://{}{}", url.host, url.path).into_bytes();
    match url.path.ends_with(['1', '4']) {
        true => Keys { exact: Vec::new(), heads: vec![key] },
        false => Keys { exact: vec![key], heads: Vec::new() },
    }
}
