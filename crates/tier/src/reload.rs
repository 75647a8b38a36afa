//! The files that a node runs on: its snapshot, and who is there. Read at start, taken over when they
//! change, kept as they were when the new ones are broken.

use std::io;
use std::path::{Path, PathBuf};

use proxy::{Config, ConfigError, Node};
use translate::{Diagnostics, read_fleet, read_snapshot};
use wire::Fleet;
use wire::snapshot::Tier;

mod watched;
pub(crate) use watched::Watched;

/// Why a file cannot be run on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is wrong.
    #[error(transparent)]
    Wrong(Diagnostics),
    /// It is the snapshot of another tier.
    #[error(
        "{}: this snapshot is for the tier `{}` ({pool}); `{}` was expected",
        path.display(), tier.as_str(), expected.as_str()
    )]
    Tier {
        /// The file.
        path: PathBuf,
        /// Whose configuration it is.
        pool: String,
        /// Which tier it is for.
        tier: Tier,
        /// Which tier reads it.
        expected: Tier,
    },
    /// It names something that cannot be used.
    #[error("{}: {error}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: ConfigError,
    },
}

/// Opens the snapshot at `path`, which must be one for `tier`.
pub(crate) fn snapshot(path: &Path, tier: Tier) -> Result<(Watched<Config>, Config), LoadError> {
    Watched::open(path, move |source| {
        let path = || PathBuf::from(source.name);
        let snapshot = read_snapshot(source).map_err(LoadError::Wrong)?;
        if snapshot.tier != tier {
            let (pool, expected) = (snapshot.pool, tier);
            return Err(LoadError::Tier { path: path(), pool, tier: snapshot.tier, expected });
        }
        Config::new(snapshot, &[]).map_err(|error| LoadError::Unusable { path: path(), error })
    })
}

/// Opens the fleet document at `path`.
pub(crate) fn fleet(path: &Path) -> Result<(Watched<Fleet>, Fleet), LoadError> {
    Watched::open(path, |source| read_fleet(source).map_err(LoadError::Wrong))
}

/// Lets `node` run on a new snapshot, unless it is broken.
pub(crate) fn offer_snapshot(node: &Node, found: Result<Config, LoadError>) {
    node.metrics.reloaded(found.is_ok());
    match found {
        Ok(config) => {
            tracing::info!(version = config.snapshot().version, "snapshot taken over");
            node.reload(config);
        }
        Err(error) => tracing::error!(%error, "new snapshot refused; the last good one goes on"),
    }
}

/// Tells `node` who is there now, unless the document is broken.
pub(crate) fn offer_fleet(node: &Node, found: Result<Fleet, LoadError>) {
    let taken = found.map_err(|error| error.to_string()).and_then(|fleet| {
        let version = fleet.version.clone();
        node.set_fleet(fleet).map(|()| version).map_err(|error| error.to_string())
    });
    node.metrics.fleet_reloaded(taken.is_ok());
    match taken {
        Ok(version) => tracing::info!(version, "fleet taken over"),
        Err(error) => tracing::error!(%error, "new fleet refused; the last good one goes on"),
    }
}

#[cfg(test)]
mod tests;
