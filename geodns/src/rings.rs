//! Who is there: from the fleet document, so that `/where` can name the owner of a URL in each PoP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtime::{Stage, file};
use upstream::HashRing;
use wire::Fleet;

use crate::files::{LOOK, LoadError};
use crate::service::Service;

/// The rings of edges.
#[derive(Debug)]
pub struct Rings {
    version: String,
    /// By their names: `pop/POOL/POP`.
    rings: BTreeMap<String, HashRing>,
}

impl Rings {
    /// The rings of a document that was checked.
    #[must_use]
    pub fn new(fleet: &Fleet) -> Self {
        let rings = fleet.rings.iter().filter(|(name, _)| name.starts_with("pop/"));
        let rings = rings.map(|(name, ring)| (name.clone(), HashRing::new(&ring.members)));
        Self { version: fleet.version.clone(), rings: rings.collect() }
    }

    /// The version of the document.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The edge that owns a key in a PoP; `None` if none is known there.
    #[must_use]
    pub fn owner(&self, pool: &str, pop: &str, key_hash: u64) -> Option<&str> {
        let ring = self.rings.get(&format!("pop/{pool}/{pop}"))?;
        Some(ring.members().get(ring.owner(key_hash)?)?.name.as_str())
    }
}

/// The fleet document on disk.
#[derive(Clone, Debug)]
pub struct FleetFile {
    path: PathBuf,
    /// What it was when it was read last.
    last: String,
}

impl FleetFile {
    /// Reads the file at `path`. With `wait` there are no rings while it is not there.
    ///
    /// # Errors
    /// With path and reason, when it cannot be used.
    pub fn open(path: &Path, wait: bool) -> Result<(Self, Rings), LoadError> {
        let unread = |error| LoadError::Read(path.to_owned(), error);
        let last = match file::read_text(path).map_err(unread) {
            Err(error) if wait && error.is_missing() => {
                let file = Self { path: path.to_owned(), last: String::new() };
                return Ok((file, Rings { version: String::new(), rings: BTreeMap::new() }));
            }
            read => read?,
        };
        let file = Self { path: path.to_owned(), last };
        let rings = file.parse(&file.last)?;
        Ok((file, rings))
    }

    fn parse(&self, text: &str) -> Result<Rings, LoadError> {
        let wrong = |reason: String| LoadError::Text(self.path.clone(), reason);
        let fleet: Fleet =
            serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?;
        fleet.check().map_err(|error| wrong(error.to_string()))?;
        Ok(Rings::new(&fleet))
    }

    /// Gives the service every good version after that until the process drains.
    pub async fn watch(mut self, service: Arc<Service>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = service.drain.reached(Stage::Draining) => return,
            }
            // A file that is away for a moment is being replaced.
            let Ok(text) = file::read_text(&self.path) else { continue };
            if text == self.last {
                continue;
            }
            let found = self.parse(&text);
            service.metrics.reloaded("fleet", found.is_ok());
            match found {
                Ok(rings) => {
                    tracing::info!(version = rings.version(), "fleet taken over");
                    service.rings.store(Some(Arc::new(rings)));
                }
                Err(error) => {
                    tracing::error!(%error, "new fleet refused; the last good one goes on");
                }
            }
            self.last = text;
        }
    }
}
