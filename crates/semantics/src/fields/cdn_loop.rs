//! `CDN-Loop` (RFC 8586): a request that comes round again is not sent on.

use http::{HeaderMap, HeaderName};

use super::append_member;
use crate::lists::split_outside_quotes;

/// The field's name.
pub const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// Whether a request has been here before.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum LoopVerdict {
    /// It has not.
    Ok,
    /// It has: answer 508.
    Loop,
}

/// Looks for our id in `CDN-Loop`. Read leniently, for a loop must be found whatever another CDN
/// makes of the field: an id ends at a parameter, quote or space, and ignores case.
//= rfc8586#2
pub fn cdn_loop_check(headers: &HeaderMap, cdn_id: &str) -> LoopVerdict {
    let ours = headers
        .get_all(CDN_LOOP)
        .iter()
        .flat_map(|line| line.as_bytes().split(|b| matches!(b, b',' | b';' | b' ' | b'\t' | b'"')))
        .any(|id| id.eq_ignore_ascii_case(cdn_id.as_bytes()));
    if ours { LoopVerdict::Loop } else { LoopVerdict::Ok }
}

/// Adds our id; those of others stay.
//= rfc8586#2
pub fn append_cdn_loop(headers: &mut HeaderMap, cdn_id: &str) {
    append_member(headers, &CDN_LOOP, cdn_id.as_bytes());
}

/// How many hops the field counts, ours among them: a bound for tiers that share an id.
pub fn cdn_loop_hops(headers: &HeaderMap) -> usize {
    headers
        .get_all(CDN_LOOP)
        .iter()
        .map(|line| split_outside_quotes(line.as_bytes(), b',').count())
        .sum()
}
