//! The tags of a response: `Surrogate-Key` (separated by spaces), `Cache-Tag` (by commas) and the
//! strings of `Cache-Groups`. Parsing only; what they name is the cache's.

use http::{HeaderMap, HeaderName};
use smallvec::SmallVec;

use crate::lists::trim_ows;
use crate::reasons::reasons;
use crate::target::cache_groups;

/// `Surrogate-Key`.
pub const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
/// `Cache-Tag`.
pub const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// How many tags of one response count, and how long one may be. What exceeds them is left out, as
/// half a tag would name something else.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct TagLimits {
    /// Tags per response.
    pub count: usize,
    /// Bytes per tag.
    pub length: usize,
}

impl Default for TagLimits {
    fn default() -> Self {
        Self { count: 1024, length: 1024 }
    }
}

/// The tags of a response, without repetition, in the order they come. Cache groups are scoped to
/// an origin by their RFC and come from [`cache_groups`] instead.
pub fn surrogate_tags(headers: &HeaderMap, limits: TagLimits) -> impl Iterator<Item = &[u8]> {
    let keys = headers
        .get_all(SURROGATE_KEY)
        .iter()
        .flat_map(|line| line.as_bytes().split(|b| *b == b' ' || *b == b'\t'));
    let tags = headers
        .get_all(CACHE_TAG)
        .iter()
        .flat_map(|line| line.as_bytes().split(|b| *b == b','))
        .map(trim_ows);
    let mut seen: SmallVec<[&[u8]; 16]> = SmallVec::new();
    keys.chain(tags)
        .filter(move |tag| !tag.is_empty() && tag.len() <= limits.length)
        .filter(move |tag| {
            let new = !seen.contains(tag);
            if new {
                seen.push(tag);
            }
            new
        })
        .take(limits.count)
}

/// All the tags of a response, cache groups among them, with the same limits.
pub fn all_tags(headers: &HeaderMap, limits: TagLimits) -> Vec<Vec<u8>> {
    let mut tags: Vec<Vec<u8>> = surrogate_tags(headers, limits).map(<[u8]>::to_vec).collect();
    for group in cache_groups(headers) {
        if tags.len() < limits.count && !tags.iter().any(|tag| *tag == group.as_bytes()) {
            tags.push(group.into_bytes());
        }
    }
    tags
}

reasons! {
    /// Why a text is no tag that somebody can name.
    BadTag {
        /// There is nothing.
        Empty => "empty-tag",
        /// It has more bytes than a tag of a response may.
        TooLong => "tag-too-long",
        /// White space, a comma or a control character, which no `Surrogate-Key` can carry.
        Character => "bad-tag-character",
    }
}

impl std::error::Error for BadTag {}

/// Whether a text is a tag that can be purged: 1 to 1,024 bytes without white space, commas and
/// control characters.
pub fn check_tag(tag: &str) -> Result<(), BadTag> {
    match tag {
        "" => Err(BadTag::Empty),
        _ if tag.len() > TagLimits::default().length => Err(BadTag::TooLong),
        _ if tag.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',') => {
            Err(BadTag::Character)
        }
        _ => Ok(()),
    }
}

/// Whether a response has more tags than count: it could not be purged by the rest.
pub fn too_many_tags(headers: &HeaderMap, limits: TagLimits) -> bool {
    let fields = [SURROGATE_KEY, CACHE_TAG];
    // Cheap for nearly all: as many tags need as many separators.
    let bytes: usize =
        fields.iter().flat_map(|name| headers.get_all(name)).map(|v| v.len() + 1).sum();
    let groups = cache_groups(headers).len();
    let more = TagLimits { count: limits.count + 1, ..limits };
    bytes / 2 + groups > limits.count && all_tags(headers, more).len() > limits.count
}

#[cfg(test)]
mod tests;
