//! Entity tags (RFC 9110 §8.8.3).

use http::{HeaderMap, HeaderName};

use crate::lists::trim_ows;

/// An entity tag.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct EntityTag<'a> {
    /// Marked `W/`.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads one tag. A tag without quotes, which some origins send, is taken as it stands: it only
    /// ever compares equal to the same characters.
    //= rfc9110#8.8.3
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (tag, rest) = Self::first(trim_ows(value))?;
        rest.is_empty().then_some(tag)
    }

    /// Reads the tag at the start, and what follows it.
    fn first(value: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, quoted) = match value {
            [b'W', b'/', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if let [b'"', inner @ ..] = quoted {
            let end = memchr::memchr(b'"', inner)?;
            let opaque = &inner[..end];
            return opaque
                .iter()
                .all(|b| *b >= 0x21 && *b != 0x7f)
                .then_some((Self { weak, opaque }, &inner[end + 1..]));
        }
        let end = memchr::memchr(b',', value).unwrap_or(value.len());
        let opaque = trim_ows(&value[..end]);
        let usable = !opaque.is_empty() && opaque.iter().all(|b| *b >= 0x21 && *b != 0x7f);
        usable.then_some((Self { weak: false, opaque }, &value[end..]))
    }

    /// Strong comparison: neither is weak and they are the same.
    //= rfc9110#8.8.3.2
    pub fn strong_eq(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Weak comparison: they are the same, weak or not.
    //= rfc9110#8.8.3.2
    pub fn weak_eq(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

/// Whether a field that lists tags, over all its lines, has one for which `same` holds, or is `*`,
/// which any response matches.
pub fn matches_any(
    headers: &HeaderMap,
    name: &HeaderName,
    mut same: impl FnMut(&EntityTag<'_>) -> bool,
) -> bool {
    headers.get_all(name).iter().any(|line| {
        let line = trim_ows(line.as_bytes());
        line == b"*" || tags(line).any(|tag| same(&tag))
    })
}

/// The tags of one line. Commas may stand inside a tag, so this is no plain list; reading stops at
/// the first thing that is no tag.
pub(crate) fn tags(line: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        while let [b',' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
        let (tag, after) = EntityTag::first(rest)?;
        // After a tag comes a comma or the end.
        rest = trim_ows(after);
        if !matches!(rest.first(), None | Some(b',')) {
            rest = &[];
        }
        Some(tag)
    })
}
