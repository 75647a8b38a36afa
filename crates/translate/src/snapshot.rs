//! Snapshots as a process finds them, and what each must fulfil.

use wire::Snapshot;

use crate::diagnostic::Diagnostics;
use crate::read::Source;
use crate::typed::Typed;

mod rules;
pub(crate) use rules::check;

/// Reads a snapshot from YAML or JSON and checks it.
///
/// # Errors
///
/// Everything that is wrong with it, or the first thing if it does not even have the right types.
pub fn read_snapshot(source: Source<'_>) -> Result<Snapshot, Diagnostics> {
    let typed = Typed::new(source, "Snapshot", "pool");
    let snapshot = typed.read()?;
    let problems = check(&snapshot);
    if problems.is_empty() { Ok(snapshot) } else { Err(typed.diagnose(problems)) }
}

/// Names the content of a snapshot: the same content, the same name, on every machine.
pub(crate) fn version_of(snapshot: &Snapshot) -> String {
    let unnamed = Snapshot { version: String::new(), ..snapshot.clone() };
    // Plain data with text keys always has a JSON form.
    let content = serde_json::to_vec(&unnamed).unwrap_or_default();
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&content))
}

#[cfg(test)]
mod tests;
