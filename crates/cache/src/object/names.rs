//! Header names under small numbers, so that a stored field costs two bytes for its name and giving
//! it out costs no allocation.
//!
//! The table belongs to the process, only grows, and is bounded: names beyond its end, or longer
//! than anybody sane makes them, are stored in full.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use http::HeaderName;
use parking_lot::RwLock;

const SLOTS: usize = 1024;
const LONGEST: usize = 64;

static NAMES: [OnceLock<HeaderName>; SLOTS] = [const { OnceLock::new() }; SLOTS];
static CODES: LazyLock<RwLock<HashMap<HeaderName, u16>>> = LazyLock::new(RwLock::default);

/// The number of a name, given now if need be; none when the table is full.
pub(super) fn code(name: &HeaderName) -> Option<u16> {
    if let Some(code) = CODES.read().get(name) {
        return Some(*code);
    }
    if name.as_str().len() > LONGEST {
        return None;
    }
    let mut codes = CODES.write();
    if let Some(code) = codes.get(name) {
        return Some(*code);
    }
    let code = u16::try_from(codes.len()).ok()?;
    // Leaked on purpose, within the bound: a clone of a static name touches no shared counter.
    let slot = NAMES.get(usize::from(code))?;
    let fixed = HeaderName::from_static(String::leak(name.as_str().to_owned()));
    slot.set(fixed.clone()).ok()?;
    codes.insert(fixed, code);
    Some(code)
}

/// The name of a number.
pub(super) fn name(code: u16) -> Option<&'static HeaderName> {
    NAMES.get(usize::from(code))?.get()
}
