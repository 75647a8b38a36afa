//! The cache key: scheme, host, path and query in normal form (RFC 3986 §6.2.2, RFC 9110 §4.2.3),
//! and whatever a site adds to it.

use http::{HeaderMap, HeaderName, header};

use crate::lists::{split_outside_quotes, trim_ows};

mod host;
mod path;
mod split;

pub(crate) use host::is_plain;
pub use host::{BadHost, default_port, normalize_host};
pub use path::remove_dot_segments;
pub use split::{KeyParts, split_key};

/// What a site changes about its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// Sort query parameters by name; those of one name keep their order.
    pub sort_query: bool,
    /// Which query parameters count.
    pub query: QueryRule,
    /// Request fields that are part of the key.
    pub headers: Vec<HeaderName>,
    /// Cookies that are part of the key.
    pub cookies: Vec<String>,
}

/// Which query parameters count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QueryRule {
    /// All of them.
    #[default]
    All,
    /// None: the query is not part of the key.
    None,
    /// These.
    Keep(Vec<String>),
    /// All but these.
    Drop(Vec<String>),
}

/// Writes the key of a request into `out`, which is cleared first.
///
/// It is the URL in normal form; what a site adds follows, each part behind a line feed and with
/// its length, neither of which can be forged: a field value has no line feed, and in the URL one
/// is escaped. So two requests that differ in any part have different keys, and the keys of one
/// URL share the part before the first line feed. Case of scheme and host, default port, trailing
/// dot, dot segments, escapes of unreserved characters and the fragment make no difference.
//= rfc9110#4.2.3
//= rfc9111#2
pub fn write_cache_key(
    out: &mut Vec<u8>,
    scheme: &str,
    authority: &str,
    path_and_query: &str,
    headers: &HeaderMap,
    rules: &KeyRules,
) {
    out.clear();
    out.reserve(scheme.len() + authority.len() + path_and_query.len() + 8);
    match scheme {
        "https" => out.extend_from_slice(b"https://"),
        "http" => out.extend_from_slice(b"http://"),
        _ => {
            out.extend(scheme.bytes().map(|b| b.to_ascii_lowercase()));
            out.extend_from_slice(b"://");
        }
    }
    host::write_authority(out, scheme, authority);
    path::write(out, path_and_query.as_bytes(), rules);
    for name in &rules.headers {
        write_header(out, name, headers);
    }
    for name in &rules.cookies {
        write_cookie(out, name, headers);
    }
}

/// `path_and_query` as the key has it before site rules: what should be sent upstream, so that the
/// origin answers the request that the answer is stored under.
pub fn normalize_target(path_and_query: &str) -> String {
    let mut out = Vec::with_capacity(path_and_query.len());
    path::write(&mut out, path_and_query.as_bytes(), &KeyRules::default());
    String::from_utf8(out).unwrap_or_else(|_| path_and_query.to_owned())
}

/// The head of a path and query as keys have it before site rules: what begins with it in a key is
/// what begins with the text. A segment or an escape that may go on behind the end is left as it is.
pub fn normalize_prefix(prefix: &str) -> String {
    // A letter at the end makes the last segment neither `.` nor `..`, and no escape whole.
    let end = memchr::memchr(b'#', prefix.as_bytes()).unwrap_or(prefix.len());
    let mut whole = normalize_target(&format!("{}x", &prefix[..end]));
    whole.pop();
    whole
}

/// A field in the key; an absent one differs from an empty one.
fn write_header(out: &mut Vec<u8>, name: &HeaderName, headers: &HeaderMap) {
    out.push(b'\n');
    out.extend_from_slice(name.as_str().as_bytes());
    if !headers.contains_key(name) {
        return;
    }
    let lines = || headers.get_all(name).iter().map(|line| trim_ows(line.as_bytes()));
    let length = lines().map(|line| line.len() + 1).sum::<usize>() - 1;
    write_length(out, length);
    for (index, line) in lines().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
}

/// A cookie in the key. Servers differ in which of several of one name they take, so all count.
fn write_cookie(out: &mut Vec<u8>, name: &str, headers: &HeaderMap) {
    out.extend_from_slice(b"\n;");
    out.extend_from_slice(name.as_bytes());
    for line in headers.get_all(header::COOKIE) {
        for pair in split_outside_quotes(line.as_bytes(), b';') {
            let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            if pair[..equals] == *name.as_bytes() {
                let value = pair.get(equals + 1..).unwrap_or_default();
                write_length(out, value.len());
                out.extend_from_slice(value);
            }
        }
    }
}

fn write_length(out: &mut Vec<u8>, length: usize) {
    out.push(b'=');
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b':');
}

#[cfg(test)]
mod tests;
