//! A file that is read again whenever it changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runtime::drain::Stage;
use runtime::{Drain, file};
use translate::Source;

use super::LoadError;

/// A ConfigMap appears by renaming a symbolic link, which file notification reports badly or not at all
/// on some file systems; a small file is cheap to read.
const LOOK: Duration = Duration::from_millis(500);

/// What a file says, and will say.
pub(crate) struct Watched<T> {
    path: PathBuf,
    parse: Parse<T>,
    /// What it said when last looked at, good or broken.
    last: String,
}

/// Reads a document; the source's name is the file's path.
type Parse<T> = Box<dyn Fn(Source<'_>) -> Result<T, LoadError> + Send>;

impl<T> Watched<T> {
    /// The file at `path`, and what it says now.
    pub(crate) fn open(
        path: &Path,
        parse: impl Fn(Source<'_>) -> Result<T, LoadError> + Send + 'static,
    ) -> Result<(Self, T), LoadError> {
        let read = |error| LoadError::Read { path: path.to_owned(), error };
        let last = file::read_text(path).map_err(read)?;
        let watched = Self { path: path.to_owned(), parse: Box::new(parse), last };
        let now = watched.parse()?;
        Ok((watched, now))
    }

    /// Gives `offer` every new version, good or broken, until the process drains.
    pub(crate) async fn watch(mut self, drain: Drain, offer: impl Fn(Result<T, LoadError>)) {
        let mut interval = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                () = drain.reached(Stage::Draining) => return,
            }
            if let Some(found) = self.look() {
                offer(found);
            }
        }
    }

    /// What is new since the last look.
    pub(crate) fn look(&mut self) -> Option<Result<T, LoadError>> {
        // A file that is away for a moment is being replaced.
        let text = file::read_text(&self.path).ok()?;
        if text == self.last {
            return None;
        }
        self.last = text;
        Some(self.parse())
    }

    fn parse(&self) -> Result<T, LoadError> {
        let name = self.path.display().to_string();
        (self.parse)(Source { name: &name, text: &self.last })
    }
}
