//! Numbers at rest, in seven bits a byte, the lowest first, since nearly all of them are small.

/// The most bytes that [`put`] writes.
const LONGEST: usize = 5;

/// How many bytes [`put`] writes.
pub(super) const fn len(number: usize) -> usize {
    (usize::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

pub(super) fn put(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The number at `at`, which moves behind it; none where the block ends before it does.
pub(super) fn take(block: &[u8], at: &mut usize) -> Option<u32> {
    let mut number = 0;
    for shift in (0..LONGEST).map(|i| 7 * i) {
        let byte = *block.get(*at)?;
        *at += 1;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
