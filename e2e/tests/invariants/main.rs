//! What must be true of the tree itself.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod crates;
mod files;
mod images;
mod metrics;
mod reasons;
mod standards;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace, relative to the root, in order.
fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for top in ["crates", "cli", "crds", "edge", "shield", "geodns", "local", "operator", "e2e"] {
        walk(&root().join(top), &mut found);
    }
    let mut found: Vec<_> =
        found.into_iter().map(|p| p.strip_prefix(root()).unwrap().to_owned()).collect();
    found.sort();
    assert!(found.len() > 50, "the walk finds the sources");
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "node_modules" {
            walk(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Whether a file holds tests rather than what is tested.
fn is_test(path: &Path) -> bool {
    let text = path.to_str().unwrap();
    text.contains("/tests/") || text.ends_with("/tests.rs") || text.starts_with("e2e/")
}
