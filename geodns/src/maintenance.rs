//! PoPs that somebody took out by command: kept in a file, so that a restart does not bring them back.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::files::LoadError;

/// The number of the file's format.
const FORMAT: u32 = 1;
/// PoPs at most.
const MOST: usize = 10_000;

/// A PoP of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// The pool.
    pub pool: String,
    /// Its PoP.
    pub pop: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    format: u32,
    maintenance: BTreeSet<Place>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There are as many as there may be.
    #[error("{MOST} pops are in maintenance by command already")]
    Full,
    /// It could not be written down, so it is as it was.
    #[error("{0}: cannot be written: {1}")]
    Write(PathBuf, io::Error),
}

/// The PoPs that were taken out by command.
#[derive(Debug, Default)]
pub struct Maintenance {
    out: ArcSwap<BTreeSet<Place>>,
    /// Where they are written, if anywhere. Who holds it changes them.
    file: Mutex<Option<PathBuf>>,
}

impl Maintenance {
    /// Takes over what a file says, and writes to it from now on; one that is not there is made with the first command.
    ///
    /// # Errors
    /// With path and reason, when it is there and cannot be used, or could not be written.
    pub fn keep_in(&self, path: &Path) -> Result<(), LoadError> {
        let mut file = self.file.lock();
        let unread = |error| LoadError::Read(path.to_owned(), error);
        match runtime::file::read_text(path) {
            Ok(text) => {
                let wrong = |reason: String| LoadError::Text(path.to_owned(), reason);
                let document: Document =
                    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
                if document.format != FORMAT {
                    return Err(wrong(format!("format {} is not {FORMAT}", document.format)));
                }
                if document.maintenance.len() > MOST {
                    return Err(wrong(format!("more than {MOST} pops")));
                }
                self.out.store(Arc::new(document.maintenance));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Better known now than with the first command.
                let unwritten = |error| LoadError::Write(path.to_owned(), error);
                write(path, &self.out.load()).map_err(unwritten)?;
            }
            Err(error) => return Err(unread(error)),
        }
        *file = Some(path.to_owned());
        Ok(())
    }

    /// Takes a PoP out, or lets it in again. Waits for the disk. Says whether that is a change.
    ///
    /// # Errors
    /// When it could not be written; then nothing has changed.
    pub fn set(&self, place: Place, on: bool) -> Result<bool, CommandError> {
        let file = self.file.lock();
        let mut out = BTreeSet::clone(&self.out.load());
        let changed = if on { out.insert(place) } else { out.remove(&place) };
        if !changed {
            return Ok(false);
        }
        if out.len() > MOST {
            return Err(CommandError::Full);
        }
        if let Some(path) = file.as_deref() {
            write(path, &out).map_err(|error| CommandError::Write(path.to_owned(), error))?;
        }
        self.out.store(Arc::new(out));
        Ok(true)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Arc<BTreeSet<Place>> {
        self.out.load_full()
    }

    /// Whether a PoP was taken out.
    #[must_use]
    pub fn has(&self, pool: &str, pop: &str) -> bool {
        let out = self.out.load();
        !out.is_empty() && out.contains(&Place { pool: pool.to_owned(), pop: pop.to_owned() })
    }
}

/// Writes beside the file and renames, so that it is always whole.
fn write(path: &Path, out: &BTreeSet<Place>) -> io::Result<()> {
    let document = Document { format: FORMAT, maintenance: out.clone() };
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    serde_json::to_writer_pretty(&mut file, &document)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    // The name is in the folder, which has to be on disk too.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
