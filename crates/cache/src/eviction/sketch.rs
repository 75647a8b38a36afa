//! How often was this asked for lately: a count-min sketch of four-bit counters that age.

/// Estimates frequencies up to fifteen, in about eight bytes per expected entry.
pub(super) struct Sketch {
    /// Sixteen counters a word.
    words: Box<[u64]>,
    added: u64,
}

const SEEDS: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0xff51_afd7_ed55_8ccd];
const SMALLEST: usize = 1 << 10;
/// Counts of this many times the entries are remembered before all are halved.
const SAMPLE: u64 = 10;

impl Sketch {
    pub(super) fn new() -> Self {
        Self { words: vec![0; SMALLEST].into_boxed_slice(), added: 0 }
    }

    /// Makes room for so many entries. What was counted stays: each counter is copied to where its
    /// hashes go now.
    pub(super) fn fit(&mut self, entries: usize) {
        while self.words.len() < entries {
            self.words = [&*self.words, &*self.words].concat().into_boxed_slice();
        }
    }

    pub(super) fn add(&mut self, hash: u64) {
        let mut any = false;
        for (word, shift) in places(hash, self.words.len()) {
            let word = &mut self.words[word];
            if (*word >> shift) & 15 < 15 {
                *word += 1 << shift;
                any = true;
            }
        }
        if any {
            self.added += 1;
            if self.added >= SAMPLE * self.words.len() as u64 {
                self.age();
            }
        }
    }

    pub(super) fn estimate(&self, hash: u64) -> u8 {
        let counts = places(hash, self.words.len())
            .map(|(word, shift)| ((self.words[word] >> shift) & 15) as u8);
        counts.into_iter().min().unwrap_or(0)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.words.len() as u64 * 8
    }

    fn age(&mut self) {
        for word in &mut self.words {
            *word = (*word >> 1) & 0x7777_7777_7777_7777;
        }
        self.added /= 2;
    }
}

fn places(hash: u64, words: usize) -> [(usize, u32); 4] {
    SEEDS.map(|seed| {
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(seed);
        let mixed = mixed ^ (mixed >> 29);
        ((mixed >> 4) as usize & (words - 1), (mixed & 15) as u32 * 4)
    })
}

#[cfg(test)]
mod tests;
