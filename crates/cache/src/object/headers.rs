//! Header fields at rest: name code, length, value, one after the other.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{names, number};

/// Stands for a name that follows in full; other codes are one higher than their name's.
const INLINE: u32 = 0;

/// How many bytes [`encode`] writes.
pub(super) fn encoded_len(headers: &HeaderMap) -> usize {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        let name = match names::code(name) {
            Some(code) => number::len(usize::from(code) + 1),
            None => 1 + number::len(name.as_str().len()) + name.as_str().len(),
        };
        name + number::len(value.len()) + value.len()
    };
    number::len(headers.len()) + headers.iter().map(field).sum::<usize>()
}

pub(super) fn encode(headers: &HeaderMap, out: &mut Vec<u8>) {
    let count = u16::try_from(headers.len()).unwrap_or(u16::MAX);
    number::put(out, u32::from(count));
    for (name, value) in headers.iter().take(usize::from(count)) {
        match names::code(name) {
            Some(code) => number::put(out, u32::from(code) + 1),
            None => {
                number::put(out, INLINE);
                // A `HeaderName` is shorter than 64 KiB.
                number::put(out, name.as_str().len() as u32);
                out.extend_from_slice(name.as_str().as_bytes());
            }
        }
        // A `HeaderValue` of 4 GiB does not pass any head limit.
        number::put(out, value.len() as u32);
        out.extend_from_slice(value.as_bytes());
    }
}

pub(super) fn decode(block: &Bytes, at: usize, into: &mut HeaderMap) {
    let mut fields = Fields::new(block, at);
    // A map that is full takes no more fields; nothing better can be done than to leave them out.
    let _ = into.try_reserve(fields.left);
    while let Some((name, from, to)) = fields.next() {
        if let Ok(value) = HeaderValue::from_maybe_shared(block.slice(from..to)) {
            let _ = match name {
                Name::Known(name) => into.try_append(name, value),
                Name::Inline(name) => match HeaderName::from_lowercase(name) {
                    Ok(name) => into.try_append(name, value),
                    Err(_) => continue,
                },
            };
        }
    }
}

pub(super) fn find(block: &Bytes, at: usize, wanted: &HeaderName) -> Option<HeaderValue> {
    let mut fields = Fields::new(block, at);
    while let Some((name, from, to)) = fields.next() {
        if name.is(wanted) {
            return HeaderValue::from_maybe_shared(block.slice(from..to)).ok();
        }
    }
    None
}

/// Whether a line of a field passes `test`.
pub(super) fn any(
    block: &[u8],
    at: usize,
    wanted: &HeaderName,
    test: impl Fn(&[u8]) -> bool,
) -> bool {
    let mut fields = Fields::new(block, at);
    while let Some((name, from, to)) = fields.next() {
        if name.is(wanted) && test(&block[from..to]) {
            return true;
        }
    }
    false
}

enum Name<'a> {
    Known(&'static HeaderName),
    Inline(&'a [u8]),
}

impl Name<'_> {
    fn is(&self, wanted: &HeaderName) -> bool {
        match self {
            Self::Known(name) => *name == wanted,
            Self::Inline(name) => *name == wanted.as_str().as_bytes(),
        }
    }
}

/// Walks over an encoded block.
struct Fields<'a> {
    block: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Fields<'a> {
    fn new(block: &'a [u8], at: usize) -> Self {
        let mut fields = Self { block, at, left: 0 };
        fields.left = fields.number().map_or(0, |count| count as usize);
        fields
    }

    /// A name and where its value lies.
    fn next(&mut self) -> Option<(Name<'a>, usize, usize)> {
        self.left = self.left.checked_sub(1)?;
        let name = match self.number()? {
            INLINE => {
                let len = self.number()? as usize;
                let name = self.block.get(self.at..self.at + len)?;
                self.at += len;
                Name::Inline(name)
            }
            code => Name::Known(names::name(u16::try_from(code - 1).ok()?)?),
        };
        let len = self.number()? as usize;
        let from = self.at;
        self.at = from + len;
        (self.at <= self.block.len()).then_some((name, from, self.at))
    }

    fn number(&mut self) -> Option<u32> {
        number::take(self.block, &mut self.at)
    }
}

#[cfg(test)]
mod tests;
