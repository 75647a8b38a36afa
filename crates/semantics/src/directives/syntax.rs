//! One directive of a list: `name`, `name=token` or `name="quoted"`.

use crate::lists::{quoted_length, trim_ows};

/// What follows the name.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Argument<'a> {
    /// No `=`.
    None,
    /// The text after `=`.
    Token(&'a [u8]),
    /// The text between the quotes, escapes left in: no known argument needs any, so whoever reads
    /// a backslash finds the value malformed.
    Quoted(&'a [u8]),
    /// Whitespace around `=`, or text after the closing quote.
    Malformed,
}

/// A directive: its name as sent, and the argument.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Directive<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) argument: Argument<'a>,
}

impl<'a> Directive<'a> {
    /// Reads one list member.
    //= rfc9111#5.2
    pub(crate) fn parse(member: &'a [u8]) -> Self {
        let Some(equals) = memchr::memchr(b'=', member) else {
            return Self { name: member, argument: Argument::None };
        };
        let (name, value) = (&member[..equals], &member[equals + 1..]);
        let trimmed = trim_ows(name);
        if trimmed.len() != name.len() || trim_ows(value).len() != value.len() {
            return Self { name: trimmed, argument: Argument::Malformed };
        }
        let argument = if value.first() == Some(&b'"') {
            match quoted_length(value) {
                Some(length) if length == value.len() => Argument::Quoted(&value[1..length - 1]),
                _ => Argument::Malformed,
            }
        } else {
            Argument::Token(value)
        };
        Self { name, argument }
    }

    /// The name in lower case, written into `buffer`; empty when it is longer than any known one.
    pub(crate) fn lowercase_name<'b>(&self, buffer: &'b mut [u8; 24]) -> &'b [u8] {
        let Some(out) = buffer.get_mut(..self.name.len()) else {
            return &[];
        };
        out.copy_from_slice(self.name);
        out.make_ascii_lowercase();
        out
    }
}
