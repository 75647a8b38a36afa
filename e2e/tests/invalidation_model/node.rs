//! A node: the real store, the real reader, and what its loop knows besides.

use std::sync::{Arc, Weak};

use bus::reader::Reader;
use cache::{Body, Cache, EvictionPolicy, Settings, Sweep};
use wire::invalidation::{Ack, Heartbeat, LogPosition, OnLogLoss};

use crate::rng::Rng;
use crate::rules::Broken;
use crate::view::{Fleet, View};

/// Milliseconds without a heartbeat after which a node validates whatever it serves.
pub const LEASE: u64 = 15_000;

pub struct Node {
    pub name: String,
    pub shield: bool,
    pub on_log_loss: OnLogLoss,
    capacity: u64,
    pub cache: Arc<Cache>,
    pub reader: Reader,
    /// It runs.
    pub up: bool,
    /// A heartbeat of this run succeeded: whoever completes orders knows of it.
    pub joined: bool,
    /// It ever caught up in this run.
    pub ready: bool,
    /// The log cannot be reached.
    pub cut: bool,
    /// A heartbeat under way, and when it was sent.
    pub beat: Option<(u64, Heartbeat)>,
    /// When the last heartbeat was sent that succeeded.
    pub heard: u64,
    /// Acknowledgements not delivered yet, and of which log.
    pub acks: Vec<(String, Ack)>,
    pub sweep: Option<Sweep>,
    pub view: View,
    /// How the last fetch of each key ended: its head came.
    pub landed: [bool; crate::site::KEYS],
    /// Bodies that only those who had found them may read.
    pub let_go: Vec<Weak<Body>>,
}

impl Node {
    pub fn new(number: usize, fleet: &Fleet, rng: &mut Rng) -> Self {
        let on_log_loss = if rng.chance(60) { OnLogLoss::Revalidate } else { OnLogLoss::Serve };
        let capacity = rng.between(6, 24) << 10;
        let card = fleet.card(number);
        Self {
            name: card.name.clone(),
            shield: card.shield,
            on_log_loss,
            capacity,
            cache: store(capacity),
            reader: Reader::new(None),
            up: true,
            joined: false,
            ready: false,
            cut: false,
            beat: None,
            heard: 0,
            acks: Vec::new(),
            sweep: None,
            view: View::new(fleet, number),
            landed: [false; crate::site::KEYS],
            let_go: Vec::new(),
        }
    }

    /// Starts anew, with nothing.
    pub fn restart(&mut self) {
        self.cache = store(self.capacity);
        self.reader = Reader::new(None);
        (self.up, self.joined, self.ready) = (true, false, false);
        self.beat = None;
        self.acks.clear();
        self.sweep = None;
    }

    /// It may be asked.
    pub fn serves(&self) -> bool {
        self.up && self.ready
    }

    /// The log it reads, once it knows.
    pub fn epoch(&self) -> Option<&str> {
        self.reader.cursor().map(|position| position.epoch.as_str())
    }

    /// Up to where a hit is vouched for.
    pub fn applied(&self) -> Option<LogPosition> {
        let epoch = self.epoch()?.to_owned();
        Some(LogPosition { epoch, seq: self.cache.applied() })
    }

    /// Its lease is over: nothing may be served without validation.
    pub fn unvouched(&self, now: u64, broken: Option<Broken>) -> bool {
        self.lapsed(now) && broken != Some(Broken::LeaseIgnored)
    }

    pub fn lapsed(&self, now: u64) -> bool {
        self.on_log_loss == OnLogLoss::Revalidate && now - self.heard > LEASE
    }

    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            node: self.name.clone(),
            role: if self.shield { "shield" } else { "edge" }.into(),
            pool: "model".into(),
            applied: self.applied(),
            on_log_loss: self.on_log_loss,
            lease_ms: LEASE,
            ..Heartbeat::default()
        }
    }
}

fn store(capacity: u64) -> Arc<Cache> {
    let eviction = EvictionPolicy::S3Fifo;
    let settings = Settings { capacity, eviction, max_object: 4 << 10, max_variants: 4 };
    // The same in every run, so that a seed stands for one schedule.
    Cache::with_seed(settings, 1)
}
