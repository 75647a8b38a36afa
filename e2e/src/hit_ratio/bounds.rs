//! What the policies are measured against.

use std::collections::{BTreeMap, BTreeSet};

use crate::traces::Trace;

/// Hits of an exact LRU.
pub(crate) fn lru(trace: &Trace, costs: &[u64], bytes: u64) -> usize {
    let mut used: Vec<Option<usize>> = vec![None; costs.len()];
    let mut order: BTreeMap<usize, u32> = BTreeMap::new();
    let (mut held, mut hits) = (0, 0);
    for (now, &object) in trace.requests.iter().enumerate() {
        match used[object as usize].replace(now) {
            Some(before) => {
                order.remove(&before);
                hits += 1;
            }
            None => held += costs[object as usize],
        }
        order.insert(now, object);
        while held > bytes
            && let Some((_, oldest)) = order.pop_first()
        {
            used[oldest as usize] = None;
            held -= costs[oldest as usize];
        }
    }
    hits
}

/// Hits of Belady's algorithm: whatever is needed last goes first, a newcomer included. With
/// objects of one size nothing does better.
pub(crate) fn belady(trace: &Trace, costs: &[u64], bytes: u64) -> usize {
    const NEVER: usize = usize::MAX;
    let mut next = vec![NEVER; trace.requests.len()];
    let mut seen = vec![NEVER; costs.len()];
    for (now, &object) in trace.requests.iter().enumerate().rev() {
        next[now] = std::mem::replace(&mut seen[object as usize], now);
    }
    let mut needed: Vec<Option<usize>> = vec![None; costs.len()];
    let mut order: BTreeSet<(usize, u32)> = BTreeSet::new();
    let (mut held, mut hits) = (0, 0);
    for (now, &object) in trace.requests.iter().enumerate() {
        match needed[object as usize].replace(next[now]) {
            Some(before) => {
                order.remove(&(before, object));
                hits += 1;
            }
            None => held += costs[object as usize],
        }
        order.insert((next[now], object));
        while held > bytes
            && let Some((_, last)) = order.pop_last()
        {
            needed[last as usize] = None;
            held -= costs[last as usize];
        }
    }
    hits
}
