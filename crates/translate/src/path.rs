//! The way to a field of a document.

use std::fmt;

/// Steps from the root of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Path {
    pub(crate) fn root() -> Self {
        Self::default()
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(crate) fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// `spec.sites[0].hosts[1]`; a key that is not a word is quoted, as in `negativeTTL["404"]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_word(key) && i == 0 => f.write_str(key)?,
                Step::Key(key) if is_word(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_word(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Something wrong at a field; it becomes a diagnostic when file and line are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) path: Path,
    /// Where the path alone does not tell.
    pub(crate) line: Option<u32>,
    pub(crate) reason: String,
}

/// A list of problems under construction.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: &Path, reason: impl fmt::Display) {
        self.0.push(Problem { path: path.clone(), line: None, reason: reason.to_string() });
    }

    pub(crate) fn add_on_line(&mut self, line: u32, path: &Path, reason: String) {
        self.0.push(Problem { path: path.clone(), line: Some(line), reason });
    }

    /// Leaves one problem at each field.
    pub(crate) fn tell_once(&mut self) {
        let mut told = std::collections::HashSet::new();
        self.0.retain(|problem| told.insert(problem.path.to_string()));
    }

    /// The value, or a problem at the path.
    pub(crate) fn take<T, E: fmt::Display>(&mut self, path: &Path, r: Result<T, E>) -> Option<T> {
        r.map_err(|reason| self.add(path, reason)).ok()
    }
}
