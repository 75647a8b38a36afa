//! Numbers, sizes and times in the units of the wire.

use std::ops::RangeInclusive;

use crds::{ByteQuantity, Duration};

use crate::path::{Path, Problems};

/// The longest time limit that makes sense; more is a slip of the pen.
const MAX_TIMEOUT: Duration = Duration::from_hours(24);

/// The longest that anything is kept (RFC 9111 §1.2.2 lets us bound it).
const MAX_KEPT: Duration = Duration::from_hours(365 * 24);

/// A number that the schema keeps above 0.
pub(super) fn small<T: TryFrom<i32> + Default>(n: i32) -> T {
    T::try_from(n).unwrap_or_default()
}

/// A size within bounds.
pub(super) fn bytes(
    size: ByteQuantity,
    range: RangeInclusive<u64>,
    at: &Path,
    problems: &mut Problems,
) -> u64 {
    if !range.contains(&size.bytes()) {
        let min = ByteQuantity::from_bytes(*range.start());
        let reason = match *range.end() {
            u64::MAX => format!("`{size}` is too small; at least `{min}` is needed"),
            max => {
                let max = ByteQuantity::from_bytes(max);
                format!("`{size}` is out of range; write `{min}` to `{max}`")
            }
        };
        problems.add(at, reason);
    }
    size.bytes()
}

/// A time limit; zero would mean that nothing is ever in time.
pub(super) fn millis(time: Duration, at: &Path, problems: &mut Problems) -> u64 {
    if time.as_millis() == 0 {
        problems.add(at, format!("must be more than `{time}`; there is no way to turn it off"));
    } else if time > MAX_TIMEOUT {
        problems.add(at, format!("`{time}` is too long; `{MAX_TIMEOUT}` is the most"));
    }
    time.as_millis()
}

/// A time within bounds.
pub(super) fn within(
    time: Duration,
    range: RangeInclusive<Duration>,
    at: &Path,
    problems: &mut Problems,
) {
    if !range.contains(&time) {
        let (min, max) = (range.start(), range.end());
        problems.add(at, format!("`{time}` is out of range; write `{min}` to `{max}`"));
    }
}

/// A time that something is kept, perhaps none.
pub(super) fn seconds(time: Duration, at: &Path, problems: &mut Problems) -> u32 {
    let Some(seconds) = time.whole_seconds() else {
        problems.add(at, format!("`{time}` must be whole seconds; `ms` has no effect here"));
        return 0;
    };
    if time > MAX_KEPT {
        problems.add(at, format!("`{time}` is too long; one year, `{MAX_KEPT}`, is the most"));
    }
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// A time that something is kept, and not none.
pub(super) fn some_seconds(time: Duration, at: &Path, problems: &mut Problems) -> u32 {
    if time.as_millis() == 0 {
        problems.add(at, format!("must be more than `{time}`"));
    }
    seconds(time, at, problems)
}
