//! Seeded request sequences.

/// A sequence of object numbers, and the body size of each object.
pub(crate) struct Trace {
    pub(crate) name: &'static str,
    pub(crate) sizes: Vec<u32>,
    pub(crate) requests: Vec<u32>,
}

const OBJECTS: usize = 60_000;
const REQUESTS: usize = 400_000;
/// Of these many requests, a scan comes in between.
const BETWEEN_SCANS: usize = 40_000;
const SCAN: usize = 15_000;

pub(crate) fn all() -> Vec<Trace> {
    vec![
        trace("zipf-0.8", OBJECTS, zipf(0.8, 1)),
        trace("zipf-1.0", OBJECTS, zipf(1.0, 2)),
        scanned(),
        trace("shifting", OBJECTS, shifting()),
        mixed(),
    ]
}

fn trace(name: &'static str, objects: usize, requests: Vec<u32>) -> Trace {
    Trace { name, sizes: vec![1_000; objects], requests }
}

/// Rank `r` with a probability of 1/r^s; ranks are spread over the numbers.
fn zipf(s: f64, seed: u64) -> Vec<u32> {
    let ranks = Ranks::new(s);
    let mut random = Random(seed);
    (0..REQUESTS).map(|_| ranks.draw(&mut random)).collect()
}

/// Zipf, and now and then somebody walks over everything there is, once.
fn scanned() -> Trace {
    let mut requests = Vec::new();
    let mut next = OBJECTS as u32;
    for (n, request) in zipf(1.0, 3).into_iter().enumerate() {
        requests.push(request);
        if n % BETWEEN_SCANS == BETWEEN_SCANS - 1 {
            requests.extend(next..next + SCAN as u32);
            next += SCAN as u32;
        }
    }
    trace("zipf-1.0+scan", next as usize, requests)
}

/// Zipf whose favourites change: all the time the next ones become popular.
fn shifting() -> Vec<u32> {
    let ranks = Ranks::new(0.9);
    let mut random = Random(4);
    let drift = |n: usize| (n / 20_000 * 1_500) as u32;
    (0..REQUESTS).map(|n| (ranks.draw(&mut random) + drift(n)) % OBJECTS as u32).collect()
}

/// Zipf over bodies from 100 bytes to 100 KiB, most of them small.
fn mixed() -> Trace {
    let mut random = Random(5);
    let sizes = (0..OBJECTS).map(|_| (100.0 * 1_000_f64.powf(random.unit().powi(3))) as u32);
    Trace { name: "mixed-sizes", sizes: sizes.collect(), requests: zipf(0.9, 6) }
}

/// Cumulated probabilities of the ranks.
struct Ranks(Vec<f64>);

impl Ranks {
    fn new(s: f64) -> Self {
        let mut sum = 0.0;
        let ranks = (1..=OBJECTS).map(|rank| {
            sum += (rank as f64).powf(-s);
            sum
        });
        Self(ranks.collect())
    }

    fn draw(&self, random: &mut Random) -> u32 {
        let total = self.0.last().copied().unwrap_or(1.0);
        let point = random.unit() * total;
        self.0.partition_point(|sum| *sum < point).min(OBJECTS - 1) as u32
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
