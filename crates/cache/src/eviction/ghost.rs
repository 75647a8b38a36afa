//! Who was evicted lately: fingerprints in order of eviction, bounded by the bytes they stood for.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// A queue with a set over it. A fingerprint has 32 bits: of a million ghosts one stranger in four
/// thousand is taken for one of them, which costs it nothing but a better place.
pub(super) struct Ghosts {
    queue: VecDeque<Ghost>,
    /// Fingerprint, and the number of its newest place in the queue.
    set: HashTable<(u32, u32)>,
    /// The number of the queue's first place.
    first: u32,
    bytes: u64,
}

#[derive(Clone, Copy)]
struct Ghost {
    print: u32,
    granules: u32,
}

const GRANULE: u64 = 16;

impl Ghosts {
    pub(super) const fn new() -> Self {
        Self { queue: VecDeque::new(), set: HashTable::new(), first: 0, bytes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    pub(super) fn add(&mut self, hash: u64, bytes: u64) {
        let print = print(hash);
        let granules = u32::try_from(bytes.div_ceil(GRANULE)).unwrap_or(u32::MAX);
        let place = self.first.wrapping_add(self.queue.len() as u32);
        self.queue.push_back(Ghost { print, granules });
        self.bytes += u64::from(granules) * GRANULE;
        match self.set.find_mut(spread(print), |(other, _)| *other == print) {
            Some(known) => known.1 = place,
            None => {
                self.set.insert_unique(spread(print), (print, place), |(print, _)| spread(*print));
            }
        }
    }

    /// Whether it was there; it is no more.
    pub(super) fn take(&mut self, hash: u64) -> bool {
        let print = print(hash);
        match self.set.find_entry(spread(print), |(other, _)| *other == print) {
            Ok(known) => {
                known.remove();
                true
            }
            Err(_) => false,
        }
    }

    /// Forgets the oldest until those left stood for no more than `bytes`.
    pub(super) fn trim(&mut self, bytes: u64) {
        while self.bytes > bytes
            && let Some(ghost) = self.queue.pop_front()
        {
            let place = self.first;
            self.first = self.first.wrapping_add(1);
            self.bytes -= u64::from(ghost.granules) * GRANULE;
            let is_it = |known: &(u32, u32)| *known == (ghost.print, place);
            if let Ok(known) = self.set.find_entry(spread(ghost.print), is_it) {
                known.remove();
            }
        }
    }

    pub(super) fn overhead(&self) -> u64 {
        (self.queue.capacity() * size_of::<Ghost>() + self.set.allocation_size()) as u64
    }
}

fn print(hash: u64) -> u32 {
    (hash >> 16) as u32
}

fn spread(print: u32) -> u64 {
    u64::from(print).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests;
