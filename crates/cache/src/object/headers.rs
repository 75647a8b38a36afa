//! Header fields at rest: name code, length, value, one after the other.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::names;

/// Stands for a name that follows in full.
const INLINE: u16 = u16::MAX;

/// An upper bound of what [`encode`] writes; exact when all names have codes.
pub(super) fn encoded_len(headers: &HeaderMap) -> usize {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        let inline = if names::code(name).is_some() {
            0
        } else {
            2 + name.as_str().len()
        };
        6 + inline + value.len()
    };
    2 + headers.iter().map(field).sum::<usize>()
}

pub(super) fn encode(headers: &HeaderMap, out: &mut Vec<u8>) {
    let count = u16::try_from(headers.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    for (name, value) in headers.iter().take(usize::from(count)) {
        match names::code(name) {
            Some(code) => out.extend_from_slice(&code.to_le_bytes()),
            None => {
                out.extend_from_slice(&INLINE.to_le_bytes());
                // A `HeaderName` is shorter than 64 KiB.
                out.extend_from_slice(&(name.as_str().len() as u16).to_le_bytes());
                out.extend_from_slice(name.as_str().as_bytes());
            }
        }
        // A `HeaderValue` of 4 GiB does not pass any head limit.
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
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
        let same = match name {
            Name::Known(name) => name == wanted,
            Name::Inline(name) => name == wanted.as_str().as_bytes(),
        };
        if same {
            return HeaderValue::from_maybe_shared(block.slice(from..to)).ok();
        }
    }
    None
}

enum Name<'a> {
    Known(&'static HeaderName),
    Inline(&'a [u8]),
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
        fields.left = fields.u16().map_or(0, usize::from);
        fields
    }

    /// A name and where its value lies.
    fn next(&mut self) -> Option<(Name<'a>, usize, usize)> {
        self.left = self.left.checked_sub(1)?;
        let name = match self.u16()? {
            INLINE => {
                let len = usize::from(self.u16()?);
                let name = self.block.get(self.at..self.at + len)?;
                self.at += len;
                Name::Inline(name)
            }
            code => Name::Known(names::name(code)?),
        };
        let len = u32::from_le_bytes(*self.block.get(self.at..)?.first_chunk()?) as usize;
        let from = self.at + 4;
        self.at = from + len;
        (self.at <= self.block.len()).then_some((name, from, self.at))
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = *self.block.get(self.at..)?.first_chunk()?;
        self.at += 2;
        Some(u16::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests;
