//! Which request fields a response depends on, and the secondary key they make (RFC 9111 §4.1).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use smallvec::SmallVec;

use crate::coding::{CodingSet, acceptable};
use crate::lists::members;

mod language;
mod normal;

pub use language::{language_match, language_quality};

/// The fields a response varies on, sorted and without repetition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Vary(Box<[HeaderName]>);

impl Vary {
    /// Of these names; `None` when there are none.
    pub fn of(names: impl IntoIterator<Item = HeaderName>) -> Option<Self> {
        let mut names: Vec<HeaderName> = names.into_iter().collect();
        names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        (!names.is_empty()).then(|| Self(names.into_boxed_slice()))
    }

    /// The names, in order.
    pub fn names(&self) -> &[HeaderName] {
        &self.0
    }

    /// Whether `name` is one of them.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.0.contains(name)
    }
}

/// What the `Vary` of a response says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VaryField {
    /// It does not vary.
    None,
    /// It varies on these request fields.
    Fields(Vary),
    /// It varies on something beyond the request's fields, or on what cannot be a field name:
    /// no later request can be known to match.
    Star,
}

/// Reads `Vary`, all lines together; a `*` anywhere decides.
//= rfc9110#12.5.5
//= rfc9111#4.1
pub fn parse_vary(headers: &HeaderMap) -> VaryField {
    if !headers.contains_key(header::VARY) {
        return VaryField::None;
    }
    let mut names: SmallVec<[HeaderName; 4]> = SmallVec::new();
    for line in headers.get_all(header::VARY) {
        for member in members(line.as_bytes()) {
            match HeaderName::from_bytes(member) {
                Ok(name) if member != b"*" => names.push(name),
                _ => return VaryField::Star,
            }
        }
    }
    Vary::of(names).map_or(VaryField::None, VaryField::Fields)
}

/// How request fields are reduced before they are compared.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct VariantRules {
    /// The codings the site can produce: of `Accept-Encoding` only which of these are acceptable
    /// counts. Empty: its text counts, whitespace aside.
    pub encodings: CodingSet,
}

/// The secondary key: the normalised values of the nominated fields, each marked as absent or
/// preceded by its length, so that no two different sets of values make the same key. Empty, and
/// not allocated, when nothing is nominated.
//= rfc9111#4.1
pub fn variant_key(vary: Option<&Vary>, request: &HeaderMap, rules: &VariantRules) -> Box<[u8]> {
    let Some(vary) = vary else {
        return Box::default();
    };
    let mut key: SmallVec<[u8; 128]> = SmallVec::new();
    for name in vary.names() {
        if !request.contains_key(name) {
            key.push(0);
            continue;
        }
        key.push(1);
        let start = key.len();
        key.extend_from_slice(&[0; 4]);
        if *name == header::ACCEPT_ENCODING && !rules.encodings.is_empty() {
            key.push(acceptable(request, rules.encodings).bits());
        } else if *name == header::ACCEPT_LANGUAGE {
            language::write_canonical(&mut key, request);
        } else {
            normal::write_combined(&mut key, request.get_all(name).iter());
        }
        let length = u32::try_from(key.len() - start - 4).unwrap_or(u32::MAX);
        key[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }
    key.into_boxed_slice()
}

/// The value of a field with a single value, as [`variant_key`] sees it: for debug answers.
pub fn normalized_value(name: &HeaderName, request: &HeaderMap) -> Option<HeaderValue> {
    if !request.contains_key(name) {
        return None;
    }
    let mut value: SmallVec<[u8; 128]> = SmallVec::new();
    if *name == header::ACCEPT_LANGUAGE {
        language::write_canonical(&mut value, request);
    } else {
        normal::write_combined(&mut value, request.get_all(name).iter());
    }
    HeaderValue::from_bytes(&value).ok()
}

#[cfg(test)]
mod tests;
