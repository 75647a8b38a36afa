//! A token in a file, which may be replaced while the process runs.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Token, Tokens};
use crate::drain::{Drain, Stage};

/// A mounted secret changes by renaming a symbolic link, which file notification reports badly or not at
/// all on some file systems; a token is cheap to read.
const LOOK: Duration = Duration::from_secs(1);
/// No token is longer; whatever is, is another file.
const MOST: usize = 4096;

/// Why a file gives no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("{}: admin token cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It holds no token, or what cannot be one.
    #[error("{}: {why}; put one line of visible ASCII characters into it", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        why: &'static str,
    },
}

/// A file with a token, and the token that counts now.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    tokens: Tokens,
    last: Token,
    /// The file gave no token when last looked at, and that was said.
    failing: bool,
}

impl TokenFile {
    /// Reads the token in the file at `path`.
    ///
    /// # Errors
    /// When there is none: a process starts with a token or not at all.
    pub fn open(path: &Path) -> Result<Self, TokenError> {
        let token = read(path)?;
        let tokens = Tokens::from(token.clone());
        Ok(Self { path: path.to_owned(), tokens, last: token, failing: false })
    }

    /// The token that counts now, wherever it is asked for.
    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Takes over what the file holds within a second of a change, until the process is closed. A file that is
    /// away, empty or broken changes nothing: the last good token goes on, and that is logged once.
    pub async fn watch(mut self, drain: Drain) {
        let mut interval = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                () = drain.reached(Stage::Closed) => return,
            }
            self.look();
        }
    }

    fn look(&mut self) {
        match read(&self.path) {
            Ok(token) => {
                if token.0 != self.last.0 {
                    tracing::info!(file = %self.path.display(), "admin token taken over");
                    self.tokens.replace(token.clone());
                    self.last = token;
                }
                self.failing = false;
            }
            Err(error) if !self.failing => {
                tracing::warn!(%error, "the last good admin token goes on");
                self.failing = true;
            }
            Err(_) => {}
        }
    }
}

fn read(path: &Path) -> Result<Token, TokenError> {
    use std::io::Read;
    let unusable = |why| TokenError::Unusable { path: path.to_owned(), why };
    let failed = |error| TokenError::Read { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = crate::file::open(path).map_err(failed)?;
    file.take(MOST as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MOST {
        return Err(unusable("is too long for a token"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable("is not text"))?;
    let token = Token::new(text).ok_or_else(|| unusable("is empty"))?;
    // Anything else cannot be shown in a header field, so nobody would ever be let in.
    if !token.0.iter().all(u8::is_ascii_graphic) {
        return Err(unusable("is not one line of visible characters"));
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
