//! Structured fields (RFC 9651), as far as the fields read here need them: a strict parser of
//! dictionaries and lists that gives up on the first fault, as that RFC demands.

use std::borrow::Cow;

use http::HeaderValue;
use http::header::GetAll;

mod item;

use item::Parser;
pub(crate) use item::{Bare, is_tchar};

/// A member's value. What is inside an inner list no field here looks at.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Member {
    Item(Bare),
    InnerList,
}

/// The most members read: RFC 9651 asks for 1024, and more would only cost time.
const MAX_MEMBERS: usize = 1024;

/// All lines of a field as the one value they are.
pub(crate) fn joined<'a>(lines: &GetAll<'a, HeaderValue>) -> Option<Cow<'a, [u8]>> {
    let mut lines = lines.iter();
    let mut value = Cow::Borrowed(lines.next()?.as_bytes());
    for line in lines {
        let value = value.to_mut();
        value.extend_from_slice(b", ");
        value.extend_from_slice(line.as_bytes());
    }
    Some(value)
}

/// Parses a dictionary; a key that comes twice keeps its place and takes the later value.
//= rfc9651#4.2.2
pub(crate) fn dictionary(value: &[u8]) -> Option<Vec<(String, Member)>> {
    let mut parser = Parser::new(value);
    let mut members: Vec<(String, Member)> = Vec::new();
    parser.skip_sp();
    while !parser.at_end() {
        let key = parser.key()?;
        let member = if parser.eat(b'=') {
            parser.member()?
        } else {
            parser.parameters()?;
            Member::Item(Bare::Boolean(true))
        };
        if let Some(slot) = members.iter_mut().find(|(k, _)| *k == key) {
            slot.1 = member;
        } else if members.len() == MAX_MEMBERS {
            return None;
        } else {
            members.push((key, member));
        }
        parser.next_member()?;
    }
    Some(members)
}

/// Parses a list.
//= rfc9651#4.2.1
pub(crate) fn list(value: &[u8]) -> Option<Vec<Member>> {
    let mut parser = Parser::new(value);
    let mut members = Vec::new();
    parser.skip_sp();
    while !parser.at_end() {
        if members.len() == MAX_MEMBERS {
            return None;
        }
        members.push(parser.member()?);
        parser.next_member()?;
    }
    Some(members)
}

#[cfg(test)]
mod tests;
