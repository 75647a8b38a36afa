//! The documents of a text, one broken one not in the way of the others.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Error, MessageFormatter, Options, UserMessageFormatter};

use crate::node::{Node, Place};

/// Why a document could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not valid YAML: {reason}")]
pub(crate) struct BadDocument {
    pub(crate) place: Place,
    pub(crate) reason: String,
}

/// Each document of a text; empty ones are left out.
pub(crate) fn documents(text: &str) -> Vec<Result<Node, BadDocument>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    for (line, chunk) in chunks(text) {
        // The parser counts lines itself; so that it counts those of the whole text, the chunk is
        // given the lines before it, empty.
        let padded = "\n".repeat(line) + chunk;
        match serde_saphyr::from_multiple_with_options::<Node>(&padded, tree_options()) {
            Ok(nodes) => found.extend(nodes.into_iter().map(Ok)),
            Err(error) => found.push(Err(error.into())),
        }
    }
    found
}

/// How trees are read: doubles are kept, so that they can be reported with the rest.
pub(crate) fn tree_options() -> Options {
    let mut options = type_options();
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options
}

/// How types are read. The resources are nested 9 deep, within a list; the bound protects the stack.
pub(crate) fn type_options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32 },
        with_snippet: false,
    }
}

/// Splits at the lines that start a document: `---` in the first column does so wherever it is, also
/// inside a block scalar (YAML 1.2 §9.1.2). With the number of lines before each chunk.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line, mut offset) = (0, 0, 0);
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let marks = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        // Directives (`%YAML 1.2`) stand before the mark of their document: they stay with it.
        if marks && !is_directives(&text[start..offset]) {
            chunks.push((start_line, &text[start..offset]));
            (start, start_line) = (offset, i);
        }
        offset += line.len();
    }
    chunks.push((start_line, &text[start..]));
    chunks.retain(|(_, chunk)| !chunk.trim().is_empty());
    chunks
}

fn is_directives(chunk: &str) -> bool {
    let mut lines =
        chunk.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).peekable();
    lines.peek().is_some() && lines.all(|line| line.starts_with('%'))
}

impl From<Error> for BadDocument {
    fn from(error: Error) -> Self {
        let error = error.without_snippet();
        let unknown = Place { line: 1, column: 1 };
        Self { place: error.location().map_or(unknown, Place::from), reason: explain(error) }
    }
}

/// The parser's words, but where they are meant for programmers.
fn explain(error: &Error) -> String {
    match error {
        Error::UnknownAnchor { .. } => {
            "an alias (`*name`) without an anchor (`&name`) before it in the same document; a text \
             that begins with `*` needs quotes"
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => "an alias within its own anchor",
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => "nested too deeply",
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => {
            "too large, or grown too large by aliases"
        }
        other => return UserMessageFormatter.format_message(other).into_owned(),
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
