//! The surrogate keys of an object: their names on the way in, their nodes at rest.

mod index;

pub(crate) use index::{Tag, TagHold, TagIndex, Tagged};

/// The names of tags, in one allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Box<[u8]>);

impl Tags {
    /// Packs tags, each with its length in two bytes before it; a tag longer than 65,535 bytes cannot
    /// be named by any request and is left out.
    pub fn new<'a>(tags: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut packed = Vec::new();
        for tag in tags {
            if let Ok(len) = u16::try_from(tag.len()) {
                packed.extend_from_slice(&len.to_le_bytes());
                packed.extend_from_slice(tag);
            }
        }
        Self(packed.into_boxed_slice())
    }

    /// The tags, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest: &[u8] = &self.0;
        std::iter::from_fn(move || {
            let (len, tail) = rest.split_first_chunk::<2>()?;
            let (tag, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
            rest = tail;
            Some(tag)
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> FromIterator<&'a [u8]> for Tags {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(tags: I) -> Self {
        Self::new(tags)
    }
}

#[cfg(test)]
mod tests;
