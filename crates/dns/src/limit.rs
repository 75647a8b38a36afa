//! Response rate limiting: a token bucket for each network and answer, in a table of a fixed size.
//!
//! Over UDP anybody can ask in another's name, and have us flood it. So each network gets the same answer only so
//! often. Of what is over the limit every so manieth answer goes out without content: who really asked asks by TCP
//! then, which cannot be forged. A table belongs to one thread; all time is an argument.

use std::net::IpAddr;
use std::time::Duration;

use wire::zones::AnswerLimits;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Buckets that one key may be in.
const WAYS: usize = 4;
/// Parts of a token, so that slow rates fill too.
const PARTS: u64 = 1_000_000;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    /// It goes out.
    Send,
    /// It goes out without content, so that the client asks by TCP.
    Slip,
    /// It does not go out.
    Drop,
}

/// What an answer counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Records.
    Answer,
    /// An error, a refusal, or that nothing exists.
    Error,
}

/// Who had how many answers.
#[derive(Debug)]
pub struct Limiter {
    limits: AnswerLimits,
    buckets: Box<[Bucket]>,
    /// Unknown to others, so that nobody can choose networks that share buckets.
    seed: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// 0 = nobody's.
    tag: u32,
    /// Answers over the limit, for the slip.
    over: u32,
    /// In parts.
    tokens: u64,
    /// In microseconds.
    last: u64,
}

impl Limiter {
    /// A table of at least `buckets` buckets, 24 bytes each. `seed` is 64 random bits.
    #[must_use]
    pub fn new(limits: AnswerLimits, buckets: usize, seed: u64) -> Self {
        let sets = buckets.div_ceil(WAYS).clamp(1, 1 << 22).next_power_of_two();
        Self { limits, buckets: vec![Bucket::default(); sets * WAYS].into(), seed }
    }

    /// Takes other limits over; what was counted stays.
    pub fn set_limits(&mut self, limits: AnswerLimits) {
        self.limits = limits;
    }

    /// An answer to `peer` at `now`, the time of a monotonic clock. `answer` tells answers apart.
    pub fn check(&mut self, peer: IpAddr, kind: Kind, answer: u64, now: Duration) -> Limited {
        let rate = match kind {
            Kind::Error if self.limits.errors_per_second > 0 => self.limits.errors_per_second,
            _ => self.limits.answers_per_second,
        };
        if self.limits.answers_per_second == 0 {
            return Limited::Send;
        }
        let hash = self.hash(peer, kind, answer);
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let most = u64::from(rate) * u64::from(self.limits.window.max(1)) * PARTS;
        let slip = self.limits.slip;
        let bucket = self.bucket(hash, now, rate.into(), most);
        bucket.tokens = bucket.at(now, rate.into()).min(most);
        bucket.last = now;
        if bucket.tokens >= PARTS {
            bucket.tokens -= PARTS;
            return Limited::Send;
        }
        bucket.over = bucket.over.wrapping_add(1);
        match slip {
            0 => Limited::Drop,
            slip if bucket.over.is_multiple_of(slip) => Limited::Slip,
            _ => Limited::Drop,
        }
    }

    /// The bucket of a key: its own, else the fullest of those where it may be, which begins anew. So who asks a lot
    /// is not forgotten for many who ask once.
    fn bucket(&mut self, hash: u64, now: u64, rate: u64, full: u64) -> &mut Bucket {
        let tag = (hash >> 32) as u32 | 1;
        let set = hash as usize & (self.buckets.len() / WAYS - 1);
        let ways = &mut self.buckets[set * WAYS..][..WAYS];
        let own = ways.iter().position(|bucket| bucket.tag == tag);
        let fullest =
            || (0..WAYS).max_by_key(|way| (ways[*way].tag == 0, ways[*way].at(now, rate)));
        let way = own.or_else(fullest).unwrap_or(0);
        if own.is_none() {
            ways[way] = Bucket { tag, over: 0, tokens: full, last: now };
        }
        &mut ways[way]
    }

    fn hash(&self, peer: IpAddr, kind: Kind, answer: u64) -> u64 {
        let mut bytes = [0; 25];
        let keep = |all: u128, width: u8, bits: u8| match width.saturating_sub(bits) {
            128 => 0,
            drop => all >> drop << drop,
        };
        let network = match peer.to_canonical() {
            IpAddr::V4(v4) => keep(u32::from(v4).into(), 32, self.limits.v4_prefix),
            // No IPv4 address is as large as these.
            IpAddr::V6(v6) => keep(v6.into(), 128, self.limits.v6_prefix) | 1 << 32,
        };
        bytes[..16].copy_from_slice(&network.to_be_bytes());
        bytes[16..24].copy_from_slice(&answer.to_be_bytes());
        bytes[24] = u8::from(kind == Kind::Error);
        xxh3_64_with_seed(&bytes, self.seed)
    }
}

impl Bucket {
    /// Its tokens if it fills at `rate`: a microsecond brings a millionth of a second's.
    fn at(&self, now: u64, rate: u64) -> u64 {
        self.tokens.saturating_add(now.saturating_sub(self.last).saturating_mul(rate))
    }
}

#[cfg(test)]
mod tests;
