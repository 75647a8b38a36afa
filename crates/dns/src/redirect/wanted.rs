//! Which PoP a client wants, for tests: `pop=NAME`.

use super::Asked;
use crate::fleet::{Family, Pool};

const NAME: &str = "pop";

/// The PoP that the query names, or else a cookie, by its first side. Names that no PoP has mean something else.
pub(super) fn pop(asked: &Asked<'_>, pool: &Pool) -> Option<(Family, usize)> {
    let find = |name: &str| {
        let mut sides = Family::ALL.into_iter();
        sides.find_map(|family| Some((family, usize::from(pool.side(family).place(name)?))))
    };
    let (_, query) = asked.path.split_once('?').unwrap_or_default();
    let named = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut by_query = named.filter(|(name, _)| *name == NAME);
    let found = by_query.find_map(|(_, value)| find(&unescaped(value)?));
    found.or_else(|| {
        let lines = asked.cookies.iter().filter_map(|line| std::str::from_utf8(line).ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let mut by_cookie = pairs.filter(|(name, _)| name.trim() == NAME);
        by_cookie.find_map(|(_, value)| find(value.trim()))
    })
}

/// Without escapes; `None` if they are none, or not of text.
fn unescaped(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
