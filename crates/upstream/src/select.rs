//! In which order the origins of a site are tried.

use crate::random::{Sequence, unit};

/// What is known of one origin when a request needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Lower numbers come first; higher ones wait until those have failed.
    pub priority: u32,
    /// Its share among those of its priority. One of weight 0 is tried after all others of its
    /// priority.
    pub weight: u32,
    /// Whether health and breaker speak for it. Those that are not usable come last instead of
    /// never: if all are bad, all are tried.
    pub usable: bool,
}

/// The indices of `candidates` in the order in which to try them, each once: usable ones first,
/// by priority, and at random in proportion to the weights within a priority.
///
/// `random` is 64 random bits; the same bits give the same order. The draw without replacement is
/// that of Efraimidis and Spirakis ("Weighted random sampling with a reservoir", 2006): each gets
/// an exponentially distributed key of rate `weight`, and the smallest goes first.
pub fn order(candidates: &[Candidate], random: u64) -> Vec<usize> {
    let mut draws = Sequence(random);
    let mut keyed: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            // 1 - [0, 1) is never 0, so the logarithm is finite, and 0 weight is infinitely late.
            let wait = -(1.0 - unit(draws.next())).ln();
            let key = match candidate.weight {
                0 => f64::INFINITY,
                weight => wait / f64::from(weight),
            };
            (!candidate.usable, candidate.priority, key, index)
        })
        .collect();
    keyed.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    keyed.into_iter().map(|(.., index)| index).collect()
}

#[cfg(test)]
mod tests;
