//! `Accept-Language`: its canonical form, and how well a stored response in some language suits it.

use http::{HeaderMap, HeaderValue, header};
use smallvec::SmallVec;

use crate::lists::{members, with_quality};

type Ranges<'a> = SmallVec<[(&'a [u8], u16); 8]>;

fn ranges(request: &HeaderMap) -> Ranges<'_> {
    request
        .get_all(header::ACCEPT_LANGUAGE)
        .iter()
        .flat_map(|line| members(line.as_bytes()))
        .map(with_quality)
        .collect()
}

/// Lower case, best quality first, equals by name, no whitespace: the order in which languages of
/// one quality are named means nothing (RFC 9110 §12.5.4).
//= rfc9111#4.1
pub(super) fn write_canonical(out: &mut SmallVec<[u8; 128]>, request: &HeaderMap) {
    let mut ranges: SmallVec<[(SmallVec<[u8; 16]>, u16); 8]> = ranges(request)
        .iter()
        .map(|(tag, quality)| (tag.to_ascii_lowercase().into(), *quality))
        .collect();
    ranges.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranges.dedup();
    for (index, (tag, quality)) in ranges.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(tag);
        if *quality != 1000 {
            out.push(b';');
            out.extend_from_slice(quality.to_string().as_bytes());
        }
    }
}

/// How much a request likes content in `content_language`, in thousandths: the most specific range
/// that is a prefix of the tag decides (basic filtering, RFC 4647 §3.3.1). Of several content
/// languages the best counts. Without `Accept-Language` everything is liked.
//= rfc9110#12.5.4
pub fn language_quality(request: &HeaderMap, content_language: &HeaderValue) -> u16 {
    let ranges = ranges(request);
    if ranges.is_empty() {
        return 1000;
    }
    members(content_language.as_bytes()).map(|tag| tag_quality(&ranges, tag)).max().unwrap_or(0)
}

/// Whether content in `content_language` is what the request likes best, with nothing else named
/// that it would like as much: a cache may then choose it among stored variants although the
/// request's list differs from the one it was stored for.
pub fn language_match(request: &HeaderMap, content_language: &HeaderValue) -> bool {
    let ranges = ranges(request);
    let best = ranges.iter().map(|(_, quality)| *quality).max().unwrap_or(0);
    if best == 0 {
        return false;
    }
    members(content_language.as_bytes()).any(|tag| {
        tag_quality(&ranges, tag) == best
            && ranges.iter().all(|(range, quality)| *quality < best || covers(range, tag))
    })
}

fn tag_quality(ranges: &Ranges<'_>, tag: &[u8]) -> u16 {
    ranges
        .iter()
        .filter(|(range, _)| covers(range, tag))
        .max_by_key(|(range, _)| if *range == b"*" { 0 } else { range.len() })
        .map_or(0, |(_, quality)| *quality)
}

fn covers(range: &[u8], tag: &[u8]) -> bool {
    if range == b"*" {
        return true;
    }
    match (tag.get(..range.len()), tag.get(range.len())) {
        (Some(head), None | Some(b'-')) => head.eq_ignore_ascii_case(range),
        _ => false,
    }
}
