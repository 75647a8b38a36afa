//! Fleet documents as a process finds them.

use wire::Fleet;
use wire::fleet::FleetError;

use crate::diagnostic::Diagnostics;
use crate::path::{Path, Problem};
use crate::read::Source;
use crate::typed::Typed;

/// Reads a fleet document from YAML or JSON and checks it.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn read_fleet(source: Source<'_>) -> Result<Fleet, Diagnostics> {
    let typed = Typed::new(source, "Fleet", "version");
    let fleet: Fleet = typed.read()?;
    match fleet.check() {
        Ok(()) => Ok(fleet),
        Err(error) => {
            let path = place_of(&fleet, &error);
            Err(typed.diagnose(vec![Problem { path, line: None, reason: error.to_string() }]))
        }
    }
}

/// The field that is wrong; of doubles the second.
fn place_of(fleet: &Fleet, error: &FleetError) -> Path {
    let rings = Path::root().key("rings");
    let member = |ring: &str, name: &str| {
        let members = fleet.rings.get(ring).map_or(&[][..], |ring| &ring.members);
        let at = members.iter().rposition(|member| member.name == name).unwrap_or_default();
        rings.key(ring).key("members").index(at)
    };
    match error {
        FleetError::Format(_) => Path::root().key("format"),
        FleetError::RingName(ring)
        | FleetError::Members { ring, .. }
        | FleetError::RingWeight { ring, .. } => rings.key(ring),
        FleetError::Name { ring, name } | FleetError::Duplicate { ring, name } => {
            member(ring, name).key("name")
        }
        FleetError::Url { ring, name, .. } => member(ring, name).key("url"),
        FleetError::Weight { ring, name, .. } => member(ring, name).key("weight"),
        FleetError::Pop { ring, name, .. } => member(ring, name).key("pop"),
        FleetError::Public { ring, name, .. } => member(ring, name).key("public"),
    }
}

#[cfg(test)]
mod tests;
