//! The structured-field items a member is made of (RFC 9651 §4.1).

use smallvec::SmallVec;

use crate::sf::is_tchar;

/// Room for a plain hit without allocating.
pub(super) type Text = SmallVec<[u8; 96]>;

/// The cache's name: a token if it can be one, else a string.
pub(super) fn name(out: &mut Text, name: &str) {
    token_or_string(out, if name.is_empty() { "cache" } else { name });
}

//= rfc9651#4.1.7
pub(super) fn token_or_string(out: &mut Text, text: &str) {
    let first = text.bytes().next();
    let is_token = first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'*')
        && text.bytes().all(|b| is_tchar(b) || b == b':' || b == b'/');
    if is_token {
        out.extend_from_slice(text.as_bytes());
    } else {
        string(out, text);
    }
}

/// A string; what a string cannot carry becomes a question mark.
//= rfc9651#4.1.6
pub(super) fn string(out: &mut Text, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x20..=0x7e => out.push(byte),
            _ => out.push(b'?'),
        }
    }
    out.push(b'"');
}

/// An integer, within the fifteen digits the format has.
//= rfc9651#4.1.4
pub(super) fn integer(out: &mut Text, value: i64) {
    const MOST: i64 = 999_999_999_999_999;
    let value = value.clamp(-MOST, MOST);
    if value < 0 {
        out.push(b'-');
    }
    let mut digits = [0; 15];
    let mut rest = value.unsigned_abs();
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
