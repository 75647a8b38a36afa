//! The user's files: found, read, and read again when they change.

use std::io;
use std::path::{Path, PathBuf};

use runtime::file;
use translate::{Source, Translation, translate_all};

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As the user knows it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// A path cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It cannot be read.
    #[error("{path}: cannot be read: {error}")]
    Read {
        /// The path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// There is nothing in it.
    #[error("{path}: no .yaml, .yml or .json file in this folder")]
    Empty {
        /// The folder.
        path: String,
    },
    /// There is no pool in any of them.
    #[error("{names}: no EdgePool in there; see examples/quickstart/pool.yaml for one")]
    NoPool {
        /// The files.
        names: String,
    },
    /// A snapshot is of one pool.
    #[error("snapshot wants files with one EdgePool; these have {0}")]
    NotOnePool(usize),
}

/// Reads `paths`: files as they are, of folders every YAML or JSON file in the order of their names.
///
/// # Errors
/// When one cannot be read.
pub fn read(paths: &[PathBuf]) -> Result<Vec<File>, FilesError> {
    let mut files = Vec::new();
    for path in paths {
        let failed =
            |path: &Path, error| FilesError::Read { path: path.display().to_string(), error };
        if !path.is_dir() {
            files.push(one(path).map_err(|e| failed(path, e))?);
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|e| failed(path, e))? {
            let entry = entry.map_err(|e| failed(path, e))?.path();
            if is_manifest(&entry) {
                found.push(entry);
            }
        }
        if found.is_empty() {
            return Err(FilesError::Empty { path: path.display().to_string() });
        }
        found.sort();
        for path in found {
            files.push(one(&path).map_err(|e| failed(&path, e))?);
        }
    }
    Ok(files)
}

fn is_manifest(path: &Path) -> bool {
    let known = |e: &std::ffi::OsStr| matches!(e.to_str(), Some("yaml" | "yml" | "json"));
    path.is_file() && path.extension().is_some_and(known)
}

fn one(path: &Path) -> io::Result<File> {
    Ok(File { name: path.display().to_string(), text: file::read_text(path)? })
}

/// What `files` come to.
pub fn translation(files: &[File]) -> Translation {
    let sources: Vec<_> = files.iter().map(|f| Source { name: &f.name, text: &f.text }).collect();
    translate_all(&sources)
}
