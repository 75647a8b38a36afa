//! Snapshots as a process finds them, and what each must fulfil.

use wire::Snapshot;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{BadDocument, tree_options, type_options};
use crate::node::Node;
use crate::path::{Path, Problem};
use crate::read::Source;

mod rules;
pub(crate) use rules::check;

/// Reads a snapshot from YAML or JSON and checks it.
///
/// # Errors
///
/// Everything that is wrong with it, or the first thing if it does not even have the right types.
pub fn read_snapshot(source: Source<'_>) -> Result<Snapshot, Diagnostics> {
    let tree = serde_saphyr::from_str_with_options::<Node>(source.text, tree_options());
    let diagnose = |problem: Problem| Diagnostic {
        file: source.name.to_owned(),
        line: problem
            .line
            .or_else(|| tree.as_ref().ok().map(|tree| tree.line(&problem.path)))
            .unwrap_or(1),
        kind: "Snapshot".to_owned(),
        name: tree
            .as_ref()
            .ok()
            .and_then(|tree| tree.get("pool")?.text())
            .unwrap_or_default()
            .to_owned(),
        field: problem.path.to_string(),
        reason: problem.reason,
    };
    let typed = serde_saphyr::from_str_with_options(source.text, type_options());
    let snapshot: Snapshot = match typed {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let BadDocument { place, reason } = error.into();
            let path = tree.as_ref().map_or_else(|_| Path::root(), |tree| tree.path_of(place));
            let problem = Problem { path, line: Some(place.line), reason };
            return Err(Diagnostics(vec![diagnose(problem)]));
        }
    };
    let problems = check(&snapshot);
    if problems.is_empty() {
        return Ok(snapshot);
    }
    Err(Diagnostics(problems.into_iter().map(diagnose).collect()))
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
