//! What an order is about: as it is written, and, said in another way, which versions it names.

use wire::Invalidation;
use wire::invalidation::{Ban, HeaderCondition, How, Pattern, Prefix, Target, Url};

use crate::rng::Rng;
use crate::site::{KEYS, TAGS, kind, path, tag, tags};

/// Which stored versions an order names.
#[derive(Clone, Debug)]
pub enum Names {
    /// Every version of these URLs.
    Keys(u32),
    /// What has one of these tags.
    Tags(u32),
    /// What has one of these URLs and, if one is named, this kind.
    Ban(u32, Option<u32>),
    /// Nothing.
    Nothing,
}

impl Names {
    pub fn has(&self, key: usize, version: u32) -> bool {
        match self {
            Self::Keys(keys) => keys & (1 << key) != 0,
            Self::Tags(bits) => tags(key, version) & bits != 0,
            Self::Ban(keys, of) => {
                keys & (1 << key) != 0 && of.is_none_or(|of| of == kind(version))
            }
            Self::Nothing => false,
        }
    }
}

fn keys(which: impl Fn(usize) -> bool) -> u32 {
    (0..KEYS).filter(|key| which(*key)).map(|key| 1 << key).sum()
}

/// An order at random, by this id.
pub fn order(rng: &mut Rng, id: String) -> (Invalidation, Names) {
    let (target, names) = match rng.below(20) {
        0..6 => urls(rng),
        6..13 => some_tags(rng),
        13..15 => prefix(rng),
        15 => (Target::All, Names::Keys(keys(|_| true))),
        _ => ban(rng, id.clone()),
    };
    let how = if rng.chance(65) { How::Hard } else { How::Soft };
    let dry_run = rng.chance(3);
    let names = if dry_run { Names::Nothing } else { names };
    (Invalidation { format: 1, id, target, how, dry_run, issued_ms: 0 }, names)
}

fn urls(rng: &mut Rng) -> (Target, Names) {
    let first = rng.below(KEYS);
    let second = if rng.chance(25) { rng.below(KEYS) } else { first };
    let url = |key| Url { host: "h".into(), path: path(key) };
    (Target::Urls(vec![url(first), url(second)]), Names::Keys(1 << first | 1 << second))
}

fn some_tags(rng: &mut Rng) -> (Target, Names) {
    let first = rng.below(TAGS);
    let mut list = vec![tag(first)];
    let mut bits = 1 << first;
    if rng.chance(25) {
        let second = (first + 1) % TAGS;
        list.push(tag(second));
        bits |= 1 << second;
    }
    (Target::Tags(list), Names::Tags(bits))
}

fn prefix(rng: &mut Rng) -> (Target, Names) {
    let host = rng.chance(50).then(|| "h".to_owned());
    let (path, names) = match rng.below(3) {
        0 => ("/a/", keys(|key| key < KEYS / 2)),
        1 => ("/b/", keys(|key| key >= KEYS / 2)),
        _ => ("/b/1", keys(|key| key == KEYS / 2 + 1)),
    };
    (Target::Prefix(Prefix { host, path: path.into() }), Names::Keys(names))
}

fn ban(rng: &mut Rng, id: String) -> (Target, Names) {
    let half = KEYS / 2;
    let exact = rng.below(KEYS);
    let (path, names) = match rng.below(5) {
        0 => (Some(Pattern::Glob("/a/*".into())), keys(|key| key < half)),
        1 => (Some(Pattern::Prefix("/b/".into())), keys(|key| key >= half)),
        2 => (Some(Pattern::Exact(path(exact))), 1 << exact),
        3 => (Some(Pattern::Regex("^/[ab]/[0-2]$".into())), keys(|key| key % half < 3)),
        _ => (None, keys(|_| true)),
    };
    let of = (path.is_none() || rng.chance(30)).then(|| rng.below(2) as u32);
    let condition = |of: u32| HeaderCondition {
        name: "x-kind".into(),
        value: Some(Pattern::Exact(of.to_string())),
    };
    let headers = of.map(condition).into_iter().collect();
    let ttl_ms = rng.between(5, 60) * 1_000;
    (Target::Ban(Ban { id, host: None, path, headers, ttl_ms }), Names::Ban(names, of))
}
