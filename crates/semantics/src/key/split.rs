//! A key, taken apart again.

/// The parts of a key that [`super::write_cache_key`] wrote for a target that begins with `/`, is `*`
/// or is empty.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct KeyParts<'a> {
    /// In lower case.
    pub scheme: &'a [u8],
    /// Host, with its port if that is not the scheme's.
    pub authority: &'a [u8],
    /// Path and query together, as they are in the key.
    pub target: &'a [u8],
    /// Without the query.
    pub path: &'a [u8],
    /// What follows the question mark, if there is one.
    pub query: Option<&'a [u8]>,
    /// What the site added: everything after the first line feed.
    pub rest: &'a [u8],
}

/// Takes a key apart; `None` if it is none.
pub fn split_key(key: &[u8]) -> Option<KeyParts<'_>> {
    let end = memchr::memchr(b'\n', key).unwrap_or(key.len());
    let (url, rest) = (&key[..end], key.get(end + 1..).unwrap_or_default());
    let colon = memchr::memchr(b':', url)?;
    let (scheme, after) = (&url[..colon], url[colon..].strip_prefix(b"://")?);
    // An authority has neither of these: what it cannot have is escaped.
    let start = memchr::memchr2(b'/', b'*', after)?;
    let (authority, target) = after.split_at(start);
    let mark = memchr::memchr(b'?', target);
    let path = &target[..mark.unwrap_or(target.len())];
    let query = mark.map(|mark| &target[mark + 1..]);
    Some(KeyParts { scheme, authority, target, path, query, rest })
}
