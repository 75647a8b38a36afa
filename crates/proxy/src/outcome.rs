//! What became of a request, in the words that `X-Cache`, `Cache-Status`, metrics and logs share.

use http::StatusCode;
use semantics::{CacheStatus, Fwd, MissReason, NoStoreReason, PassReason, StaleReason};

/// How a request was answered.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// From the store, fresh.
    Hit,
    /// From the store, stale, and why that was allowed.
    Stale(StaleReason),
    /// From the store, stale or not what the request wanted, since going forward came to nothing.
    StoodIn {
        /// Why it went forward.
        fwd: Fwd,
        /// Another request did.
        collapsed: bool,
    },
    /// From the store, after the origin said that it is still good; kept or not.
    Revalidated(Fwd, Result<(), NoStoreReason>),
    /// Fetched; stored or not.
    Miss(MissReason, Result<(), NoStoreReason>),
    /// Stored but not to be used as it was, and fetched anew because the origin had something else.
    Refreshed(Fwd, Result<(), NoStoreReason>),
    /// Shared the answer to another request.
    Collapsed,
    /// Sent past the store.
    Pass(PassReason),
    /// An order to invalidate, which this node took or refused.
    Purge,
    /// OPTIONS that concerned this node alone.
    Ping,
    /// Sent to the edge of the place that owns it.
    Redirect,
    /// No answer could be had.
    Error(&'static str),
}

impl Outcome {
    /// The word in `X-Cache`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Hit => "HIT",
            Self::Stale(_) | Self::StoodIn { .. } => "STALE",
            Self::Revalidated(..) => "REVALIDATED",
            Self::Miss(..) => "MISS",
            Self::Refreshed(..) => "EXPIRED",
            Self::Collapsed => "COLLAPSED",
            Self::Pass(_) => "PASS",
            Self::Purge => "PURGE",
            Self::Ping => "PING",
            Self::Redirect => "REDIRECT",
            Self::Error(_) => "ERROR",
        }
    }

    /// The words as labels, for metrics that resolve their children once.
    pub(crate) const LABELS: [&'static str; 11] = [
        "hit",
        "stale",
        "revalidated",
        "miss",
        "expired",
        "collapsed",
        "pass",
        "purge",
        "error",
        "ping",
        "redirect",
    ];

    /// This outcome's place in [`Self::LABELS`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Hit => 0,
            Self::Stale(_) | Self::StoodIn { .. } => 1,
            Self::Revalidated(..) => 2,
            Self::Miss(..) => 3,
            Self::Refreshed(..) => 4,
            Self::Collapsed => 5,
            Self::Pass(_) => 6,
            Self::Purge => 7,
            Self::Error(_) => 8,
            Self::Ping => 9,
            Self::Redirect => 10,
        }
    }

    /// Whether upstream sent no body for it.
    pub(crate) fn saves(self) -> bool {
        self.is_from_store() || self == Self::Collapsed
    }

    /// Whether what is sent was stored before.
    pub(crate) fn is_from_store(self) -> bool {
        use Outcome::{Hit, Revalidated, Stale, StoodIn};
        matches!(self, Hit | Stale(_) | StoodIn { .. } | Revalidated(..))
    }

    /// Why something stale was sent.
    pub(crate) fn stale(self) -> Option<StaleReason> {
        match self {
            Self::Stale(reason) => Some(reason),
            Self::StoodIn { .. } => Some(StaleReason::OriginError),
            _ => None,
        }
    }

    /// The node's member of `Cache-Status` (RFC 9211).
    //= rfc9211#2
    pub(crate) fn cache_status<'a>(
        self,
        node: &'a str,
        ttl: Option<i64>,
        status: Option<StatusCode>,
    ) -> CacheStatus<'a> {
        let base = CacheStatus { ttl, ..CacheStatus::new(node) };
        let forwarded = |fwd, kept: Result<(), NoStoreReason>| CacheStatus {
            fwd: Some(fwd),
            fwd_status: status,
            stored: kept.is_ok(),
            detail: kept.err().map(NoStoreReason::as_str),
            ..base
        };
        match self {
            Self::Hit => CacheStatus { hit: true, ..base },
            Self::Purge | Self::Ping => base,
            Self::Redirect => {
                let detail = Some(NoStoreReason::PeerOwns.as_str());
                CacheStatus { detail, ttl: None, ..base }
            }
            Self::Stale(reason) => CacheStatus { hit: true, detail: Some(reason.as_str()), ..base },
            Self::StoodIn { fwd, collapsed } => CacheStatus {
                fwd: Some(fwd),
                fwd_status: status,
                collapsed,
                detail: Some(StaleReason::OriginError.as_str()),
                ..base
            },
            Self::Revalidated(fwd, kept) => forwarded(fwd, kept),
            Self::Miss(reason, kept) => forwarded(fwd(reason), kept),
            Self::Refreshed(fwd, kept) => forwarded(fwd, kept),
            Self::Collapsed => CacheStatus { fwd: Some(Fwd::Miss), collapsed: true, ..base },
            Self::Pass(reason) => CacheStatus {
                fwd: Some(match reason {
                    PassReason::Method => Fwd::Method,
                    PassReason::RequestNoStore | PassReason::RequestBody => Fwd::Request,
                    _ => Fwd::Bypass,
                }),
                fwd_status: status,
                detail: Some(reason.as_str()),
                ttl: None,
                ..base
            },
            Self::Error(reason) => {
                CacheStatus { fwd: Some(Fwd::Miss), detail: Some(reason), ttl: None, ..base }
            }
        }
    }
}

fn fwd(reason: MissReason) -> Fwd {
    match reason {
        MissReason::UriMiss => Fwd::UriMiss,
        MissReason::VaryMiss => Fwd::VaryMiss,
        MissReason::Expired => Fwd::Stale,
        MissReason::PartialMiss => Fwd::Partial,
        MissReason::Request => Fwd::Request,
        MissReason::Purged | MissReason::Banned | MissReason::Damaged => Fwd::Miss,
    }
}
