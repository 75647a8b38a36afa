//! Chunk headers (RFC 9112 §7.1).

use super::{FramingError, LineError};
use crate::lists::trim_ows;

/// The longest chunk header: extensions are of no use here, and unbounded ones are an attack.
pub(super) const MAX_LINE: usize = 1024;

/// The size a chunk header states. After it comes nothing, or an extension.
//= rfc9112#7.1
//= rfc9112#7.1.1
pub(super) fn size(line: &[u8]) -> Result<u64, LineError> {
    let end = line.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(line.len());
    // Fifteen digits cannot overflow.
    if !(1..=15).contains(&end) {
        return Err((0, FramingError::BadChunk));
    }
    let rest = trim_ows(&line[end..]);
    if end < line.len() && rest.first() != Some(&b';') {
        return Err((end, FramingError::BadChunk));
    }
    let digit = |b: u8| u64::from(char::from(b).to_digit(16).unwrap_or(0));
    Ok(line[..end].iter().fold(0, |size, b| size << 4 | digit(*b)))
}
