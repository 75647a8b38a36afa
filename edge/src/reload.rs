//! The snapshot file: read at start, taken over when it changes, kept as it was when the new one is broken.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proxy::{Config, ConfigError, Node};
use runtime::drain::Stage;
use translate::{Diagnostics, Source, read_snapshot};

/// A ConfigMap appears by renaming a symbolic link, which file notification reports badly or not at all
/// on some file systems; a small file is cheap to read.
const LOOK: Duration = Duration::from_millis(500);

/// A snapshot on disk.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    aliases: Vec<String>,
}

/// Why a snapshot cannot be run.
#[derive(Debug)]
pub enum LoadError {
    /// It cannot be read.
    Read(PathBuf, std::io::Error),
    /// It is wrong.
    Wrong(Diagnostics),
    /// It names something that cannot be used.
    Unusable(PathBuf, ConfigError),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{}: cannot be read: {error}", path.display()),
            Self::Wrong(diagnostics) => diagnostics.fmt(f),
            Self::Unusable(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for LoadError {}

impl ConfigFile {
    /// The file at `path`; `aliases` are hosts that stand for its first one.
    pub fn new(path: &Path, aliases: Vec<String>) -> Self {
        Self { path: path.to_owned(), aliases }
    }

    /// Reads it.
    ///
    /// # Errors
    /// With path, line and reason, when it cannot be run.
    pub fn load(&self) -> Result<Config, LoadError> {
        self.parse(&self.text()?)
    }

    fn text(&self) -> Result<String, LoadError> {
        std::fs::read_to_string(&self.path).map_err(|e| LoadError::Read(self.path.clone(), e))
    }

    fn parse(&self, text: &str) -> Result<Config, LoadError> {
        let name = self.path.display().to_string();
        let snapshot = read_snapshot(Source { name: &name, text }).map_err(LoadError::Wrong)?;
        Config::new(snapshot, &self.aliases).map_err(|e| LoadError::Unusable(self.path.clone(), e))
    }

    /// Gives `node` every good new version until the process drains.
    pub async fn watch(self, node: Arc<Node>) {
        let mut last = self.text().ok();
        let mut interval = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                () = node.drain.reached(Stage::Draining) => return,
            }
            // A file that is away for a moment is being replaced.
            let Ok(text) = self.text() else { continue };
            if last.as_ref() == Some(&text) {
                continue;
            }
            match self.parse(&text) {
                Ok(config) => {
                    tracing::info!(version = config.snapshot().version, "snapshot taken over");
                    node.reload(config);
                    node.metrics.reloaded(true);
                }
                Err(error) => {
                    tracing::error!(%error, "new snapshot refused; the last good one goes on");
                    node.metrics.reloaded(false);
                }
            }
            last = Some(text);
        }
    }
}
