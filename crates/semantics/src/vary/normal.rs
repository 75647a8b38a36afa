//! The normal form of a field nothing is known about: its lines as one list, without the
//! whitespace around commas. Inside quoted strings nothing is touched.

use http::HeaderValue;
use smallvec::SmallVec;

use crate::lists::members;

//= rfc9111#4.1
pub(super) fn write_combined<'a>(
    out: &mut SmallVec<[u8; 128]>,
    lines: impl Iterator<Item = &'a HeaderValue>,
) {
    let mut first = true;
    for line in lines {
        for member in members(line.as_bytes()) {
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(member);
        }
    }
}
