//! Patterns that people write to say which stored responses they mean. Whatever is accepted here
//! matches in a time that is bounded by the lengths of pattern and text; what would not is refused
//! with the reason, before it reaches any node.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

mod glob;

use glob::Glob;

/// Bytes of a glob, prefix or exact text.
pub const MAX_TEXT: usize = 2048;
/// Bytes of a regular expression.
pub const MAX_REGEX: usize = 1024;
/// Wildcards of a glob.
pub const MAX_WILDCARDS: usize = 32;
/// Bytes of a compiled regular expression.
const REGEX_PROGRAM: usize = 64 << 10;
/// Bytes of what a thread may remember of matching a regular expression, per direction.
const REGEX_SCRATCH: usize = 256 << 10;

/// How the text of a pattern is meant.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `*` stands for any run of bytes without `/`, `**` for any run, `?` for one byte that is not
    /// `/`; a backslash takes the next character as it is. The whole of what is looked at must match.
    Glob,
    /// What is looked at begins with the text.
    Prefix,
    /// What is looked at is the text.
    Exact,
    /// What is looked at matches somewhere, in the syntax of the `regex` crate. Byte by byte, as what
    /// is looked at need not be text: `\w` is ASCII; `(?u)` turns Unicode on, at its cost.
    Regex,
}

impl Kind {
    /// The kind's word, as orders have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Glob => "glob",
            Self::Prefix => "prefix",
            Self::Exact => "exact",
            Self::Regex => "regex",
        }
    }
}

/// Why a pattern is refused. In words that can be shown to whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPattern {
    /// There is nothing.
    Empty,
    /// It has more bytes than this.
    TooLong(usize),
    /// It has more wildcards than [`MAX_WILDCARDS`].
    TooManyWildcards,
    /// It does not compile, for this reason.
    Syntax(String),
    /// Compiled it would take more memory than a pattern may.
    TooCostly,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pattern is empty"),
            Self::TooLong(limit) => write!(f, "the pattern is longer than {limit} bytes"),
            Self::TooManyWildcards => {
                write!(f, "the pattern has more than {MAX_WILDCARDS} wildcards")
            }
            Self::Syntax(reason) => write!(f, "the pattern does not compile: {reason}"),
            Self::TooCostly => f.write_str(
                "the pattern is too costly: compiled it is larger than 64 KiB; \
                 repeat less, or do without (?u)",
            ),
        }
    }
}

impl std::error::Error for BadPattern {}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Glob(Glob),
    Prefix(Box<[u8]>),
    Exact(Box<[u8]>),
    Regex { regex: Regex, bytes: usize },
}

impl Pattern {
    /// Compiles a text that is at most [`MAX_TEXT`] bytes long, [`MAX_REGEX`] if it is a regular
    /// expression. Paths are matched as the cache key has them ([`crate::key`]): with escapes in
    /// upper case and without those that are not needed.
    pub fn compile(kind: Kind, text: &str) -> Result<Self, BadPattern> {
        let limit = if kind == Kind::Regex { MAX_REGEX } else { MAX_TEXT };
        if text.is_empty() {
            return Err(BadPattern::Empty);
        }
        if text.len() > limit {
            return Err(BadPattern::TooLong(limit));
        }
        let literal = || text.as_bytes().into();
        Ok(Self(match kind {
            Kind::Glob => Inner::Glob(Glob::compile(text.as_bytes())?),
            Kind::Prefix => Inner::Prefix(literal()),
            Kind::Exact => Inner::Exact(literal()),
            Kind::Regex => {
                let (regex, bytes) = compile_regex(text)?;
                Inner::Regex { regex, bytes }
            }
        }))
    }

    /// Whether a text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        match &self.0 {
            Inner::Glob(glob) => glob.matches(text),
            Inner::Prefix(prefix) => text.starts_with(prefix),
            Inner::Exact(exact) => text == &**exact,
            Inner::Regex { regex, .. } => regex.is_match(text),
        }
    }

    /// What every text that matches begins with; empty where that is not known.
    pub fn literal_head(&self) -> &[u8] {
        match &self.0 {
            Inner::Glob(glob) => glob.head(),
            Inner::Prefix(text) | Inner::Exact(text) => text,
            Inner::Regex { .. } => &[],
        }
    }

    /// Bytes that it keeps, for regular expressions a bound from above. What threads remember while
    /// matching one comes on top: at most 256 KiB each and direction, mostly some hundred bytes.
    pub fn bytes_used(&self) -> usize {
        size_of::<Self>()
            + match &self.0 {
                Inner::Glob(glob) => glob.heap_bytes(),
                Inner::Prefix(text) | Inner::Exact(text) => text.len(),
                Inner::Regex { bytes, .. } => *bytes,
            }
    }
}

/// The regular expression and how many bytes it takes at most. The library does not tell its size, but
/// holds to a limit; so the limit is raised until it suffices. It keeps a program for each direction.
fn compile_regex(text: &str) -> Result<(Regex, usize), BadPattern> {
    for limit in [REGEX_PROGRAM / 16, REGEX_PROGRAM / 4, REGEX_PROGRAM] {
        let built = RegexBuilder::new(text)
            .unicode(false)
            .size_limit(limit)
            .dfa_size_limit(REGEX_SCRATCH.min(limit * 4))
            .build();
        match built {
            Ok(regex) => return Ok((regex, text.len() + 2 * limit)),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(regex::Error::Syntax(report)) => return Err(BadPattern::Syntax(one_line(&report))),
            Err(other) => return Err(BadPattern::Syntax(one_line(&other.to_string()))),
        }
    }
    Err(BadPattern::TooCostly)
}

/// The compiler shows the pattern with a mark under it; the last line says what is wrong.
fn one_line(report: &str) -> String {
    let last = report.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests;
