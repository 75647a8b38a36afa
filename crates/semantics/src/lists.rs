//! Comma lists of field values (RFC 9110 §5.6.1), the shape most fields share.

/// Optional whitespace at both ends removed.
pub(crate) fn trim_ows(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The members of one line, separated by commas outside quoted strings; empty ones are skipped.
///
/// A quote that never closes is taken as an ordinary character: swallowing the rest of the line
/// could hide a restriction.
//= rfc9110#5.6.1
pub(crate) fn members(line: &[u8]) -> Members<'_> {
    Members { rest: line, separator: b',' }
}

/// Like [`members`], for lists that use another separator.
pub(crate) fn split_outside_quotes(line: &[u8], separator: u8) -> Members<'_> {
    Members { rest: line, separator }
}

pub(crate) struct Members<'a> {
    rest: &'a [u8],
    separator: u8,
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = member_end(self.rest, self.separator);
            let member = trim_ows(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !member.is_empty() {
                return Some(member);
            }
        }
        None
    }
}

fn member_end(line: &[u8], separator: u8) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(separator, b'"', &line[at..]) {
        at += found;
        if line[at] == separator {
            return at;
        }
        at += quoted_length(&line[at..]).unwrap_or(1);
    }
    line.len()
}

/// The length of the quoted string at the start of `text`, both quotes included; `None` when there
/// is none or it does not close.
//= rfc9110#5.6.4
pub(crate) fn quoted_length(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// A string of digits, clamped to the largest value a delta or age may have.
//= rfc9111#1.2.2
pub(crate) fn delta_seconds(digits: &[u8]) -> Option<u32> {
    const MAX: u32 = u32::MAX >> 1;
    if digits.is_empty() {
        return None;
    }
    let mut value: u32 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    }
    Some(value.min(MAX))
}

/// A quality value as thousandths.
//= rfc9110#12.4.2
pub(crate) fn quality(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = match text {
        [whole @ (b'0' | b'1')] => (*whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', fraction @ ..] if fraction.len() <= 3 => (*whole, fraction),
        _ => return None,
    };
    let mut value = u16::from(whole - b'0');
    for place in 0..3 {
        let digit = fraction.get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u16::from(digit - b'0');
    }
    (value <= 1000).then_some(value)
}

/// A member with `;`-separated parameters, reduced to its head and quality. A quality that cannot
/// be read counts as zero: what was not understood is not preferred.
pub(crate) fn with_quality(member: &[u8]) -> (&[u8], u16) {
    if memchr::memchr(b';', member).is_none() {
        return (member, 1000);
    }
    let mut parts = split_outside_quotes(member, b';');
    let head = parts.next().unwrap_or_default();
    for part in parts {
        if let [b'q' | b'Q', rest @ ..] = part
            && let [b'=', value @ ..] = trim_ows(rest)
        {
            return (head, quality(trim_ows(value)).unwrap_or(0));
        }
    }
    (head, 1000)
}

#[cfg(test)]
mod tests;
