//! Who owns a key, and who is next.

use std::iter::FusedIterator;

use smallvec::{SmallVec, smallvec};

use super::HashRing;

/// The distinct members of a ring from one of its points on. Allocates only on a ring of more than 1,024.
#[derive(Clone, Debug)]
pub struct Successors<'a> {
    ring: &'a HashRing,
    /// The next point to look at.
    place: usize,
    /// Members still to come.
    left: usize,
    /// A bit for each member that came.
    seen: SmallVec<[u64; 16]>,
}

impl<'a> Successors<'a> {
    pub(super) fn new(ring: &'a HashRing, place: usize) -> Self {
        let seen = smallvec![0; ring.members.len().div_ceil(64)];
        Self { ring, place, left: ring.owning, seen }
    }
}

impl Iterator for Successors<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        // Ends: each of those left has a point, so once round the ring finds one of them.
        while self.left > 0 {
            let owner = *self.ring.owners.get(self.place)? as usize;
            self.place = if self.place + 1 == self.ring.owners.len() { 0 } else { self.place + 1 };
            let (word, bit) = (self.seen.get_mut(owner / 64)?, 1 << (owner % 64));
            if *word & bit == 0 {
                *word |= bit;
                self.left -= 1;
                return Some(owner);
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Successors<'_> {}
impl FusedIterator for Successors<'_> {}
