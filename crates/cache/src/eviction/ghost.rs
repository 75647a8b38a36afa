//! Who was evicted lately: fingerprints and when they left, bounded by the bytes they stood for.

/// A table of small buckets: a fingerprint has its bucket, and displaces the oldest there. Four to
/// eight bytes a ghost, because what they take is missing for objects.
///
/// A fingerprint has 16 bits in a bucket of eight: one stranger in eight thousand is taken for a
/// ghost, which costs it nothing but a better place.
pub(super) struct Ghosts {
    slots: Vec<Slot>,
    /// How many were added: their time.
    added: u64,
    /// They go by in ticks of two to this power.
    shift: u32,
    /// Ticks that a ghost stays.
    stay: u16,
    len: usize,
    /// The next bucket to be swept.
    broom: usize,
    /// Bytes and number of the last ones, for how much one stands for.
    bytes: u64,
    count: u64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    /// Zero for none.
    print: u16,
    tick: u16,
}

const WAYS: usize = 8;
const SMALLEST: usize = 32;
/// The table's size in ticks.
const TICKS: usize = 256;
/// So many sizes make the mean.
const SAMPLE: u64 = 1 << 10;

impl Ghosts {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            added: 0,
            shift: 0,
            stay: 0,
            len: 0,
            broom: 0,
            bytes: 0,
            count: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds one that stood for `bytes`, and forgets the oldest until all stood for about `limit`.
    pub(super) fn add(&mut self, hash: u64, bytes: u64, limit: u64) {
        self.bytes += bytes;
        self.count += 1;
        if self.count == 2 * SAMPLE {
            (self.bytes, self.count) = (self.bytes / 2, SAMPLE);
        }
        let most = (limit / (self.bytes / self.count).max(1)).max(1) as usize;
        self.fit(most);
        self.stay = u16::try_from(most >> self.shift).unwrap_or(u16::MAX);
        self.added += 1;
        self.sweep();
        let new = Slot { print: print(hash), tick: self.now() };
        let (now, start) = (self.now(), self.bucket(hash));
        let bucket = &mut self.slots[start..start + WAYS];
        let rank = |slot: &&mut Slot| match slot.print {
            known if known == new.print => u32::MAX,
            0 => u32::MAX - 1,
            _ => u32::from(now.wrapping_sub(slot.tick)),
        };
        if let Some(slot) = bucket.iter_mut().max_by_key(rank) {
            self.len += usize::from(slot.print == 0);
            *slot = new;
        }
    }

    /// Whether it was there; it is no more.
    pub(super) fn take(&mut self, hash: u64) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let (now, start, stay) = (self.now(), self.bucket(hash), self.stay);
        let mut bucket = self.slots[start..start + WAYS].iter_mut();
        let Some(slot) = bucket.find(|slot| slot.print == print(hash)) else { return false };
        let in_time = now.wrapping_sub(slot.tick) <= stay;
        *slot = Slot::default();
        self.len -= 1;
        in_time
    }

    pub(super) fn overhead(&self) -> u64 {
        (self.slots.capacity() * size_of::<Slot>()) as u64
    }

    fn now(&self) -> u16 {
        (self.added >> self.shift) as u16
    }

    fn bucket(&self, hash: u64) -> usize {
        ((hash >> 32) as usize & (self.slots.len() / WAYS - 1)) * WAYS
    }

    /// Forgets those of one bucket whose time is over.
    fn sweep(&mut self) {
        self.broom = (self.broom + WAYS) % self.slots.len();
        let now = self.now();
        for slot in &mut self.slots[self.broom..self.broom + WAYS] {
            if slot.print != 0 && now.wrapping_sub(slot.tick) > self.stay {
                *slot = Slot::default();
                self.len -= 1;
            }
        }
    }

    /// Makes the table fit for so many. Growing copies each bucket to both that its hashes may mean
    /// now; the superfluous copies are displaced as they age, but count until then, so it does not
    /// shrink only to grow again.
    fn fit(&mut self, most: usize) {
        let wanted = most.next_power_of_two().max(SMALLEST);
        let old = self.slots.len();
        if old == 0 {
            self.slots = vec![Slot::default(); wanted];
        } else if wanted > old {
            self.slots = self.slots.repeat(wanted / old);
        } else if wanted * 16 <= old {
            let mut slots = self.slots[..wanted].to_vec();
            for part in self.slots[wanted..].chunks(wanted) {
                // Of two at one place the newer stays.
                for (kept, other) in slots.iter_mut().zip(part) {
                    let age = |slot: &Slot| self.now().wrapping_sub(slot.tick);
                    if other.print != 0 && (kept.print == 0 || age(other) < age(kept)) {
                        *kept = *other;
                    }
                }
            }
            self.slots = slots;
        } else {
            return;
        }
        let before = (self.now(), self.shift);
        self.shift = (self.slots.len() / TICKS).max(1).ilog2();
        let now = self.now();
        for slot in &mut self.slots {
            let age = u64::from(before.0.wrapping_sub(slot.tick)) << before.1;
            slot.tick = now.wrapping_sub((age >> self.shift).min(u64::from(u16::MAX)) as u16);
        }
        self.len = self.slots.iter().filter(|slot| slot.print != 0).count();
        self.broom = 0;
    }
}

/// Never zero.
fn print(hash: u64) -> u16 {
    ((hash >> 16) as u16).max(1)
}

#[cfg(test)]
mod tests;
