//! A small generator of numbers, the same for the same seed everywhere.

pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// The place of one of those that `wanted` takes; each as likely as the others.
    pub fn among<T>(&mut self, list: &[T], wanted: impl Fn(&T) -> bool) -> Option<usize> {
        let count = list.iter().filter(|item| wanted(item)).count();
        if count == 0 {
            return None;
        }
        let nth = self.below(count);
        list.iter().enumerate().filter(|(_, item)| wanted(item)).nth(nth).map(|(at, _)| at)
    }
}
