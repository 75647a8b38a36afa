//! The files that a GeoDNS runs on: read at start, taken over when they change, kept as they were when a new one is
//! broken.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use dns::fleet::Fleet;
use dns::place::{Database, DatabaseError};
use runtime::ready::Gate;
use runtime::{Stage, file};
use wire::zones::ZonesError;

use crate::service::Service;

/// A ConfigMap appears by renaming a symbolic link, which file notification reports badly or not at all on some file
/// systems; a small file is cheap to read.
pub(crate) const LOOK: Duration = Duration::from_millis(500);

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{0}: cannot be read: {1}")]
    Read(PathBuf, std::io::Error),
    /// It cannot be written.
    #[error("{0}: cannot be written: {1}")]
    Write(PathBuf, std::io::Error),
    /// It is not what it should be; with line and column.
    #[error("{0}: {1}")]
    Text(PathBuf, String),
    /// It cannot be answered from.
    #[error("{0}: {1}")]
    Zones(PathBuf, ZonesError),
    /// It is no database, or a damaged one.
    #[error("{0}: {1}")]
    Database(PathBuf, DatabaseError),
}

/// The zones document on disk.
#[derive(Clone, Debug)]
pub struct ZonesFile {
    path: PathBuf,
    /// What it was when it was read last, so that no change between two readings is missed.
    last: Option<String>,
}

impl LoadError {
    /// The file is not there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Read(_, error) if error.kind() == std::io::ErrorKind::NotFound)
    }
}

impl ZonesFile {
    /// The file at `path`.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), last: None }
    }

    /// Reads it.
    ///
    /// # Errors
    /// With path and reason, when it cannot be used.
    pub fn load(&mut self) -> Result<Fleet, LoadError> {
        let text = self.text()?;
        let fleet = self.parse(&text);
        self.last = Some(text);
        fleet
    }

    fn text(&self) -> Result<String, LoadError> {
        let unread = |error| LoadError::Read(self.path.clone(), error);
        file::read_text(&self.path).map_err(unread)
    }

    fn parse(&self, text: &str) -> Result<Fleet, LoadError> {
        let zones: wire::Zones = serde_saphyr::from_str(text)
            .map_err(|error| LoadError::Text(self.path.clone(), error.to_string()))?;
        Fleet::new(&zones).map_err(|error| LoadError::Zones(self.path.clone(), error))
    }

    /// Puts every good version after the one that was loaded into `fleet` until the process drains. `gate` opens with
    /// the first.
    pub async fn watch(mut self, service: Arc<Service>, fleet: Arc<ArcSwap<Fleet>>, gate: Gate) {
        if self.last.is_some() {
            gate.open();
        }
        while pause(&service).await {
            // A file that is away for a moment is being replaced.
            let Ok(text) = self.text() else { continue };
            if self.last.as_ref() == Some(&text) {
                continue;
            }
            match self.parse(&text) {
                Ok(new) => {
                    tracing::info!(version = new.version(), "zones taken over");
                    fleet.store(Arc::new(new));
                    gate.open();
                    service.metrics.reloaded("zones", true);
                }
                Err(error) => {
                    tracing::error!(%error, "new zones refused; the last good ones go on");
                    service.metrics.reloaded("zones", false);
                }
            }
            self.last = Some(text);
        }
    }
}

/// The files of the database of places.
#[derive(Clone, Debug)]
pub struct DatabaseFiles(Vec<PathBuf>);

/// What tells a file from its next version.
type Stamp = Option<(SystemTime, u64)>;

impl DatabaseFiles {
    /// These files, the first that has an address counting.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self(paths)
    }

    /// Reads all of them as a whole, which takes seconds for large ones.
    ///
    /// # Errors
    /// With path and reason, when one cannot be used.
    pub fn load(&self) -> Result<Database, LoadError> {
        let mut files = Vec::new();
        for path in &self.0 {
            let wrong = |error| LoadError::Database(path.clone(), error);
            let bytes = file::read(path).map_err(|error| LoadError::Read(path.clone(), error))?;
            // One by one, so that the error is of the right one.
            let mut one = Database::new(vec![bytes]).map_err(wrong)?;
            one.prepare().map_err(wrong)?;
            files.push(one);
        }
        Ok(Database::merge(files))
    }

    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        self.0.iter().map(stamp).collect()
    }

    /// Gives the service the database and every good new version until the process drains. Until then, and without
    /// one, clients are told apart by networks and weight alone. `gate` opens when the first was tried.
    pub async fn watch(self, service: Arc<Service>, gate: Gate) {
        let mut last = Vec::new();
        loop {
            let stamps = self.stamps();
            if stamps != last && !self.0.is_empty() {
                let files = self.clone();
                let loaded = tokio::task::spawn_blocking(move || files.load()).await;
                match loaded {
                    Ok(Ok(database)) => {
                        tracing::info!(files = self.0.len(), "database of places taken over");
                        service.places.store(Some(Arc::new(database)));
                        service.metrics.reloaded("places", true);
                    }
                    Ok(Err(error)) => {
                        tracing::error!(%error, "database of places refused; the last good one goes on");
                        service.metrics.reloaded("places", false);
                    }
                    Err(error) => tracing::error!(%error, "reading the database of places failed"),
                }
                last = stamps;
            }
            gate.open();
            if !pause(&service).await {
                return;
            }
        }
    }
}

/// Waits for the next look; `false` when the process ends.
async fn pause(service: &Service) -> bool {
    tokio::select! {
        () = tokio::time::sleep(LOOK) => true,
        () = service.drain.reached(Stage::Draining) => false,
    }
}
