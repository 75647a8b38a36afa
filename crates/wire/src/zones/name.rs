//! What is a domain name.

/// Bytes of a name in a packet at most (RFC 1035, section 2.3.4).
const MAX_DOMAIN: usize = 255;
const MAX_LABEL: usize = 63;

/// Whether `name` is a domain name as these documents write it: labels of 1 to 63 lower-case letters, digits,
/// hyphens and underscores, dots between them, 253 bytes at most.
#[must_use]
pub fn is_domain(name: &str) -> bool {
    // In a packet each label has a byte for its length, and there is a last one of length 0.
    name.len() + 2 <= MAX_DOMAIN && name.split('.').all(is_label)
}

/// The same for a host, which may begin with `*.`.
pub(super) fn is_host(name: &str) -> bool {
    is_domain(name.strip_prefix("*.").unwrap_or(name)) && name.len() + 2 <= MAX_DOMAIN
}

/// Whether `name` is `zone` or a name within it.
pub(super) fn is_within(name: &str, zone: &str) -> bool {
    match name.strip_suffix(zone) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(allowed)
}
