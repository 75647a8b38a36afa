//! Paths and queries in normal form.

use smallvec::SmallVec;

use super::{KeyRules, QueryRule};

/// What a byte means to the fast path: nothing, that a look at the byte before is needed, or that
/// the slow path has to take over.
const PLAIN: u8 = 0;
const DOT: u8 = 1;
const QUERY: u8 = 2;
const SPECIAL: u8 = 3;

const CLASS: [u8; 256] = {
    let mut class = [PLAIN; 256];
    let mut byte = 0;
    while byte <= 0x20 {
        class[byte] = SPECIAL;
        byte += 1;
    }
    class[0x7f] = SPECIAL;
    class[b'%' as usize] = SPECIAL;
    class[b'#' as usize] = SPECIAL;
    class[b'.' as usize] = DOT;
    class[b'?' as usize] = QUERY;
    class
};

/// Writes path and query; most are in normal form already and are copied.
pub(super) fn write(out: &mut Vec<u8>, text: &[u8], rules: &KeyRules) {
    let plain_rules = !rules.sort_query && rules.query == QueryRule::All;
    match scan(text) {
        Scan::Normal { query: false } => out.extend_from_slice(text),
        Scan::Normal { query: true } if plain_rules => out.extend_from_slice(text),
        _ => write_slowly(out, text, rules),
    }
}

enum Scan {
    Normal { query: bool },
    Other,
}

fn scan(text: &[u8]) -> Scan {
    if text.first() != Some(&b'/') {
        return Scan::Other;
    }
    let mut query = false;
    let mut previous = b'/';
    for &byte in text {
        match CLASS[usize::from(byte)] {
            PLAIN => {}
            DOT if previous == b'/' && !query => return Scan::Other,
            DOT => {}
            QUERY => query = true,
            _ => return Scan::Other,
        }
        previous = byte;
    }
    Scan::Normal { query }
}

fn write_slowly(out: &mut Vec<u8>, text: &[u8], rules: &KeyRules) {
    let end = memchr::memchr(b'#', text).unwrap_or(text.len());
    let text = &text[..end];
    let mark = memchr::memchr(b'?', text).unwrap_or(text.len());
    let (path, query) = text.split_at(mark);
    let start = out.len();
    write_normal(out, path);
    drop_dot_segments(out, start);
    if out.len() == start {
        out.push(b'/');
    }
    let Some((_, query)) = query.split_first() else {
        return;
    };
    if rules.query == QueryRule::None {
        return;
    }
    let mut normal = Vec::with_capacity(query.len());
    write_normal(&mut normal, query);
    write_query(out, &normal, rules);
}

fn write_query(out: &mut Vec<u8>, query: &[u8], rules: &KeyRules) {
    let named = |list: &[String], name: &[u8]| list.iter().any(|n| n.as_bytes() == name);
    let counts = |parameter: &&[u8]| match &rules.query {
        QueryRule::All => true,
        QueryRule::None => false,
        QueryRule::Keep(list) => named(list, name_of(parameter)),
        QueryRule::Drop(list) => !named(list, name_of(parameter)),
    };
    let mut parameters: SmallVec<[&[u8]; 16]> =
        query.split(|b| *b == b'&').filter(counts).collect();
    if rules.sort_query {
        parameters.sort_by_key(name_of);
    }
    // A query all of whose parameters are left out is none.
    if parameters.is_empty() {
        return;
    }
    for (index, parameter) in parameters.iter().enumerate() {
        out.push(if index == 0 { b'?' } else { b'&' });
        out.extend_from_slice(parameter);
    }
}

fn name_of<'a>(parameter: &&'a [u8]) -> &'a [u8] {
    parameter.split(|b| *b == b'=').next().unwrap_or_default()
}

/// Escapes of unreserved characters are undone, others get upper-case digits. Text with a percent
/// sign that is no escape stays as it is: undoing any would let two different texts become one.
fn write_normal(out: &mut Vec<u8>, text: &[u8]) {
    let sound = memchr::memchr_iter(b'%', text).all(|at| escaped(&text[at..]).is_some());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' if sound => {
                let Some(value) = hex_pair(after) else {
                    return;
                };
                rest = &after[2..];
                if is_unreserved(value) {
                    out.push(value);
                } else {
                    write_escaped(out, value);
                }
            }
            0..=0x20 | 0x7f => write_escaped(out, byte),
            _ => out.push(byte),
        }
    }
}

fn escaped(text: &[u8]) -> Option<u8> {
    hex_pair(text.get(1..)?)
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

pub(super) fn write_escaped(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    out.extend_from_slice(&[b'%', digits[0], digits[1]]);
}

/// A path without its `.` and `..` segments (RFC 3986 §5.2.4). One that does not start with a slash
/// is returned as it is.
pub fn remove_dot_segments(path: &str) -> String {
    let mut out = path.as_bytes().to_vec();
    drop_dot_segments(&mut out, 0);
    String::from_utf8(out).unwrap_or_else(|_| path.to_owned())
}

fn drop_dot_segments(out: &mut Vec<u8>, start: usize) {
    if out.get(start) != Some(&b'/') || memchr::memmem::find(&out[start..], b"/.").is_none() {
        return;
    }
    let path = out.split_off(start);
    let mut segments = path[1..].split(|b| *b == b'/').peekable();
    while let Some(segment) = segments.next() {
        if segment == b".." {
            let parent = memchr::memrchr(b'/', &out[start..]).unwrap_or(0);
            out.truncate(start + parent);
        } else if segment != b"." {
            out.push(b'/');
            out.extend_from_slice(segment);
            continue;
        }
        if segments.peek().is_none() {
            out.push(b'/');
        }
    }
}
