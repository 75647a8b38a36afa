//! What is wrong, where, and what to do.

use std::fmt;

/// One thing that is wrong with what the user wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Name of the source; empty if the resource did not come from a text.
    pub file: String,
    /// Line in it, from 1; 0 if the resource did not come from a text.
    pub line: u32,
    /// The resource's kind, as far as known.
    pub kind: String,
    /// The resource's name, `namespace/name` if it has a namespace, as far as known.
    pub name: String,
    /// The field, such as `spec.sites[0].hosts[1]`; empty for the whole.
    pub field: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// `file:line: kind/name: field: reason`, without what is not known.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:{}: ", self.file, self.line)?;
        }
        match (self.kind.as_str(), self.name.as_str()) {
            ("", "") => {}
            (kind, "") => write!(f, "{kind}: ")?,
            ("", name) => write!(f, "{name}: ")?,
            (kind, name) => write!(f, "{kind}/{name}: ")?,
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)
    }
}

/// Everything that is wrong, as an error; one per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(
    /// At least one.
    pub Vec<Diagnostic>,
);

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}
