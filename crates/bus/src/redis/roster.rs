//! The nodes that this process knows of: pure.
//!
//! Redis may lose its memory. Whoever remembers a node that Redis does not know, and that nobody declared
//! gone, writes it back: else an order would seem complete without a node that is cut off.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use wire::invalidation::Heartbeat;

use super::replies::Listed;
use crate::Member;

#[derive(Debug, Default)]
pub(super) struct Roster {
    known: HashMap<String, Seen>,
    /// The connection on which they were last seen.
    connection: u64,
}

/// When Redis was asked, by this process's clock, and how.
#[derive(Copy, Clone, Debug)]
pub(super) struct Asked {
    pub(super) at: Duration,
    pub(super) answered: Duration,
    pub(super) connection: u64,
}

#[derive(Debug)]
struct Seen {
    beat: Heartbeat,
    stamp: i64,
    /// When this process first saw that stamp.
    since: Duration,
}

impl Roster {
    /// Takes what Redis knows; says who is a member, and who of them must be written back.
    pub(super) fn take(
        &mut self,
        now: i64,
        listed: Vec<Listed>,
        left: &[String],
        asked: Asked,
    ) -> (Vec<Member>, Vec<Member>) {
        // Another connection may lead to a server that lacks what the former one had heard since.
        if std::mem::replace(&mut self.connection, asked.connection) != asked.connection {
            self.known.values_mut().for_each(|seen| seen.since = asked.answered);
        }
        for node in left {
            self.known.remove(node);
        }
        let names: HashSet<String> = listed.iter().map(|one| one.beat.node.clone()).collect();
        for Listed { beat, stamp } in listed {
            match self.known.get_mut(&beat.node) {
                Some(seen) if seen.stamp == stamp => seen.beat = beat,
                _ => {
                    let seen = Seen { stamp, since: asked.answered, beat };
                    self.known.insert(seen.beat.node.clone(), seen);
                }
            }
        }
        let mut members: Vec<_> =
            self.known.values().map(|seen| seen.member(now, asked.at)).collect();
        members.sort_unstable_by(|a, b| a.beat.node.cmp(&b.beat.node));
        let forgotten = |member: &&Member| !names.contains(&member.beat.node);
        let restore = members.iter().filter(forgotten).cloned().collect();
        (members, restore)
    }

    /// A node left.
    pub(super) fn remove(&mut self, node: &str) -> bool {
        self.known.remove(node).is_some()
    }
}

impl Seen {
    fn member(&self, now: i64, asked: Duration) -> Member {
        Member {
            beat: self.beat.clone(),
            silent: Duration::from_millis(u64::try_from(now - self.stamp).unwrap_or(0)),
            // Its stamp was there when it was first seen, and still there when Redis was asked now.
            unheard: asked.saturating_sub(self.since),
        }
    }
}

#[cfg(test)]
mod tests;
