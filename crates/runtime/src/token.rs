//! Bearer tokens of the admin API.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

mod file;

pub use file::{TokenError, TokenFile};

/// A secret that callers must show; compared in constant time, never printed.
#[derive(Clone)]
pub struct Token(Vec<u8>);

impl Token {
    /// A token of `text`, without the white space around it; `None` when nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.as_bytes().to_vec()))
    }

    /// Whether `Authorization: Bearer …` shows this token. Takes as long for a near miss as for a far one.
    pub fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some(value) = authorization else { return false };
        let Some((scheme, shown)) = value.split_at_checked(7) else { return false };
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return false;
        }
        let shown = shown.trim_ascii();
        let mut difference = usize::from(shown.len() != self.0.len());
        for (i, byte) in shown.iter().enumerate() {
            difference |= usize::from(byte ^ self.0[i % self.0.len()]);
        }
        difference == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The token that counts now, shared by all who ask for it; it may be replaced while they do.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<RwLock<Token>>);

impl Tokens {
    /// As [`Token::admits`], with the token of this moment.
    pub fn admits(&self, authorization: Option<&[u8]>) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).admits(authorization)
    }

    /// From now on `token` counts and the former one does not.
    pub fn replace(&self, token: Token) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

impl From<Token> for Tokens {
    fn from(token: Token) -> Self {
        Self(Arc::new(RwLock::new(token)))
    }
}

#[cfg(test)]
mod tests;
