//! Which keys are asked for so often that a node keeps them though it does not own them.
//!
//! A count-min sketch (Cormode, Muthukrishnan 2005) with conservative update (Estan, Varghese 2002) for each
//! of two windows, the one that runs and the one before.

use std::time::Duration;

/// A copy takes the place of something that nobody else has: it must be asked for so many times as often as
/// what a node keeps is on average.
const WORTH: u64 = 8;
/// Rows of a sketch.
const ROWS: usize = 4;

/// When a key is hot.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct HotSettings {
    /// Asked for this many times within the window; 0 counts as 1, which is every key.
    pub times: u16,
    /// The window.
    pub window: Duration,
    /// Counters of a row: rounded up to a power of two, 64 to 1,048,576. One takes 16 bytes of memory over
    /// all rows. About as many as there are requests in a window let next to no key pass for hot that is not.
    pub counters: usize,
}

/// Counts what is asked for, in bounded memory.
///
/// A key that was asked for often enough within a window is always told. One that was not, even over the
/// two windows that are remembered, is told only when it shares a counter of each row with others that fill
/// them: the price is then one more copy of it.
#[derive(Debug)]
pub struct HotKeys {
    times: u32,
    window: Duration,
    /// When the running window began.
    began: Duration,
    running: Sketch,
    before: Sketch,
    /// All requests of the two windows.
    all: [u64; 2],
}

impl HotKeys {
    /// Nothing was asked for yet.
    #[must_use]
    pub fn new(settings: HotSettings) -> Self {
        let sketch = || Sketch::new(settings.counters);
        Self {
            times: u32::from(settings.times.max(1)),
            window: settings.window,
            began: Duration::ZERO,
            running: sketch(),
            before: sketch(),
            all: [0; 2],
        }
    }

    /// Counts that the key with this hash is asked for, and tells whether it is hot by now. `now` is of a
    /// monotonic clock; one that is a little behind an earlier one does no harm.
    pub fn ask(&mut self, key_hash: u64, now: Duration) -> bool {
        self.count(key_hash, now) >= self.times
    }

    /// The same for a node that keeps `objects` of them: those alone are hot that are also asked for
    /// `WORTH` (8) times as often as all requests would come to for each object. However many requests there
    /// are, no more than one in eight of its objects are then others'.
    pub fn ask_among(&mut self, key_hash: u64, now: Duration, objects: u64) -> bool {
        let count = self.count(key_hash, now);
        let all = self.all[0].saturating_add(self.all[1]);
        let worth = u64::from(count).saturating_mul(objects) >= all.saturating_mul(WORTH);
        count >= self.times && worth
    }

    fn count(&mut self, key_hash: u64, now: Duration) -> u32 {
        self.turn(now);
        self.all[0] = self.all[0].saturating_add(1);
        let running = self.running.add(key_hash);
        u32::from(running) + u32::from(self.before.count(key_hash))
    }

    /// Begins the window that `now` is in.
    fn turn(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.began);
        if elapsed < self.window {
            return;
        }
        let past = elapsed - self.window;
        std::mem::swap(&mut self.running, &mut self.before);
        self.running.clear();
        self.all = [0, self.all[0]];
        if past < self.window {
            self.began += self.window;
        } else {
            // Not one request in the whole of the window before.
            self.before.clear();
            self.all[1] = 0;
            self.began = now;
        }
    }
}

/// Counters that are never too low.
#[derive(Debug)]
struct Sketch {
    rows: [Box<[u16]>; ROWS],
}

impl Sketch {
    fn new(counters: usize) -> Self {
        let counters = counters.clamp(64, 1 << 20).next_power_of_two();
        Self { rows: [(); ROWS].map(|()| vec![0; counters].into()) }
    }

    /// Counts one more, and says how many they are; more than 65,535 are that many.
    fn add(&mut self, hash: u64) -> u16 {
        let count = self.count(hash).saturating_add(1);
        for (row, counter) in self.rows.iter_mut().zip(places(hash)) {
            let counter = &mut row[counter & (row.len() - 1)];
            *counter = (*counter).max(count);
        }
        count
    }

    fn count(&self, hash: u64) -> u16 {
        let counters = self.rows.iter().zip(places(hash));
        counters.map(|(row, place)| row[place & (row.len() - 1)]).min().unwrap_or(0)
    }

    fn clear(&mut self) {
        for row in &mut self.rows {
            row.fill(0);
        }
    }
}

/// A place in each row, of the two halves of the hash (Kirsch, Mitzenmacher 2006).
fn places(hash: u64) -> [usize; ROWS] {
    let (start, step) = (hash as u32, (hash >> 32) as u32 | 1);
    let mut place = start;
    [(); ROWS].map(|()| {
        let here = place;
        place = place.wrapping_add(step);
        here as usize
    })
}

#[cfg(test)]
mod tests;
