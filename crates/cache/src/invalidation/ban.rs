//! A ban: a pattern over what was stored before it. Prefixes are bans with a literal head, and a dry
//! run is a ban that only counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::HeaderName;
use semantics::Timestamp;
use semantics::key::split_key;
use semantics::pattern::Pattern;
use wire::Seq;
use wire::invalidation::How;

use super::{Counted, END, Fields, Mark, Matched, Subject};
use crate::accounts::{ARC, Accounts};

/// What a ban looks at. All that is there must match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matcher {
    pub(crate) host: Option<Box<[u8]>>,
    /// Path and query begin with this.
    pub(crate) head: Option<Box<[u8]>>,
    /// The URL is this, whatever else is in the key.
    pub(crate) urls: Vec<Box<[u8]>>,
    pub(crate) path: Option<Pattern>,
    pub(crate) headers: Vec<(HeaderName, Option<Pattern>)>,
    /// It has one of these tags.
    pub(crate) tags: Vec<Box<[u8]>>,
}

impl Matcher {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.matches_url(subject.key)
            && (self.tags.is_empty()
                || subject.tags.names().any(|name| self.tags.iter().any(|tag| **tag == *name)))
            && self.headers.iter().all(|(name, pattern)| {
                subject
                    .fields
                    .any(name, |line| pattern.as_ref().is_none_or(|pattern| pattern.matches(line)))
            })
    }

    fn matches_url(&self, key: &[u8]) -> bool {
        if !self.urls.is_empty() {
            let url = key.split(|byte| *byte == b'\n').next().unwrap_or_default();
            return self.urls.iter().any(|other| **other == *url);
        }
        if self.host.is_none() && self.head.is_none() && self.path.is_none() {
            return true;
        }
        let Some(parts) = split_key(key) else { return false };
        self.host.as_deref().is_none_or(|host| host == parts.authority)
            && self.head.as_deref().is_none_or(|head| parts.target.starts_with(head))
            && self.path.as_ref().is_none_or(|path| path.matches(parts.path))
    }

    fn bytes_used(&self) -> u64 {
        let texts = self.host.iter().chain(&self.head).chain(&self.urls).chain(&self.tags);
        let patterns = self.path.iter().chain(self.headers.iter().filter_map(|(_, p)| p.as_ref()));
        let texts: usize = texts.map(|text| text.len() + 32).sum();
        let patterns: usize = patterns.map(Pattern::bytes_used).sum();
        (texts + patterns + self.headers.len() * 64) as u64
    }
}

/// A ban as it is listed.
#[derive(Clone, Debug)]
pub struct BanInfo {
    /// As it was ordered.
    pub ban: wire::invalidation::Ban,
    /// How thoroughly it works.
    pub how: How,
    /// Its entry in the log.
    pub seq: Seq,
    /// Stored responses that it matched so far.
    pub matched: u64,
    /// Everything stored before it was held against it: it can match no more.
    pub exhausted: bool,
    /// When it was applied here.
    pub applied_at: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

pub(crate) struct Ban {
    mark: Mark,
    matcher: Matcher,
    kind: Kind,
    applied_at: Timestamp,
    matched: AtomicU64,
    exhausted: AtomicBool,
    accounts: Arc<Accounts>,
}

pub(crate) enum Kind {
    /// A ban proper.
    Ban { spec: Box<wire::invalidation::Ban>, how: How },
    /// Works as a purge does: to be swept at once, forgotten when that is done.
    Purge { how: How },
    /// Only counts.
    Count,
}

impl Ban {
    pub(crate) fn new(
        mark: Mark,
        matcher: Matcher,
        kind: Kind,
        applied_at: Timestamp,
        accounts: Arc<Accounts>,
    ) -> Self {
        let (matched, exhausted) = (AtomicU64::new(0), AtomicBool::new(false));
        let ban = Self { mark, matcher, kind, applied_at, matched, exhausted, accounts };
        ban.accounts.charge(ban.bytes_used());
        ban
    }

    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// Its name, if it is one that can be lifted.
    pub(crate) fn id(&self) -> Option<&str> {
        match &self.kind {
            Kind::Ban { spec, .. } => Some(&spec.id),
            Kind::Purge { .. } | Kind::Count => None,
        }
    }

    /// Not a ban proper: sweeping does not wait for somebody to lift it.
    pub(crate) fn is_eager(&self) -> bool {
        !matches!(self.kind, Kind::Ban { .. })
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        match &self.kind {
            Kind::Ban { spec, .. } => {
                Some(self.applied_at.saturating_add(Duration::from_millis(spec.ttl_ms)))
            }
            Kind::Purge { .. } | Kind::Count => None,
        }
    }

    /// From when on it is swept: what nobody asks for must go before it ends.
    pub(crate) fn ripe(&self, grace: Duration) -> Timestamp {
        let half = match &self.kind {
            Kind::Ban { spec, .. } => Duration::from_millis(spec.ttl_ms / 2),
            Kind::Purge { .. } | Kind::Count => Duration::ZERO,
        };
        self.applied_at.saturating_add(grace.min(half))
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|end| end <= now)
    }

    pub(crate) fn matches(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        !self.is_over(now) && self.matcher.matches(subject)
    }

    /// What a match means.
    pub(crate) fn verdict(&self) -> Matched {
        let how = match &self.kind {
            Kind::Ban { how, .. } | Kind::Purge { how } => *how,
            Kind::Count => return Matched::default(),
        };
        match how {
            How::Hard => Matched { hard: Some(self.mark.number), soft: None },
            How::Soft => Matched { hard: None, soft: Some((self.mark.number, self.applied_at)) },
        }
    }

    pub(crate) fn count(&self) {
        self.matched.fetch_add(1, Relaxed);
    }

    pub(crate) fn matched(&self) -> u64 {
        self.matched.load(Relaxed)
    }

    /// Everything there was has been held against it; true when that is news.
    pub(crate) fn exhaust(&self) -> bool {
        !self.exhausted.swap(true, Relaxed)
    }

    /// What there is to tell of one that goes, unless it was told when it was swept.
    pub(crate) fn last_count(&self) -> Option<Counted> {
        let seq = self.mark.seq;
        (self.exhaust() && seq != END).then(|| Counted { seq, matched: self.matched() })
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.load(Relaxed)
    }

    pub(crate) fn bytes_used(&self) -> u64 {
        let spec = match &self.kind {
            // The texts are there twice: as they were ordered, and compiled.
            Kind::Ban { .. } => size_of::<wire::invalidation::Ban>() as u64 + 128,
            Kind::Purge { .. } | Kind::Count => 0,
        };
        size_of::<Self>() as u64 + ARC + spec + self.matcher.bytes_used()
    }

    pub(crate) fn info(&self, now: Timestamp) -> Option<BanInfo> {
        let Kind::Ban { spec, how } = &self.kind else { return None };
        let expires = self.expires()?;
        (expires > now).then(|| BanInfo {
            ban: (**spec).clone(),
            how: *how,
            seq: self.mark.seq,
            matched: self.matched(),
            exhausted: self.is_exhausted(),
            applied_at: self.applied_at,
            expires,
        })
    }
}

impl Drop for Ban {
    fn drop(&mut self) {
        self.accounts.release(self.bytes_used());
    }
}

impl Fields<'_> {
    fn any(&self, name: &HeaderName, test: impl Fn(&[u8]) -> bool) -> bool {
        match self {
            Self::Stored(object) => object.any_line(name, test),
            Self::Map(map) => map.get_all(name).iter().any(|value| test(value.as_bytes())),
            Self::Unknown => false,
        }
    }
}
