//! In the end nothing is under way, everything is swept and forgotten, and nothing may be left.

use std::collections::HashSet;
use std::time::Duration;

use crate::rules::What;
use crate::world::World;

/// What the policy of eviction keeps of its own.
const POLICY: u64 = 4 << 10;

impl World {
    /// Ends all that is under way and holds the stores to their books.
    pub fn end(&mut self) {
        self.requests.clear();
        self.fetches.clear();
        self.fills.clear();
        self.settle();
        // Bans, too, are over by then.
        self.now += 120_000;
        for at in 0..self.nodes.len() {
            while !self.sweep_at(at, Duration::ZERO) {}
            while !self.sweep_at(at, Duration::ZERO) {}
            let cache = &self.nodes[at].cache;
            cache.forget(self.time());
            let stats = cache.stats();
            assert_eq!(
                (stats.orders, stats.flights, stats.in_flight_bytes),
                (0, 0, 0),
                "{stats:?}"
            );
            let (entries, _) = cache.entries(None, usize::MAX);
            let variants = entries.iter().flat_map(|entry| &entry.variants);
            let tags: HashSet<_> = variants.flat_map(|variant| &variant.tags).collect();
            assert_eq!(stats.tags, tags.len() as u64, "tags without an object: {stats:?}");
            if stats.evictions > 0 {
                self.tally.note(What::Evicted);
            }
            cache.clear();
            let stats = cache.stats();
            assert_eq!((stats.objects, stats.marks, stats.tags), (0, 0, 0), "{stats:?}");
            assert!(stats.bytes <= POLICY, "{stats:?}");
        }
        self.tally.note(What::Quiet);
    }

    /// Every node comes back and every order becomes complete.
    fn settle(&mut self) {
        self.senders_cut.fill(false);
        for node in &mut self.nodes {
            node.cut = false;
            if !node.up {
                node.restart();
            }
        }
        for _ in 0..10_000 {
            if self.kept.is_empty() {
                return;
            }
            self.now += 50;
            self.publish();
            for _ in 0..self.nodes.len() {
                self.beat();
                self.acknowledge();
                self.read();
                self.judge();
            }
        }
        assert!(self.kept.is_empty(), "{} orders never become complete", self.kept.len());
    }
}
