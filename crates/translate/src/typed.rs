//! The machine formats: one document of one type, and where each of its fields is written.

use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{BadDocument, tree_options, type_options};
use crate::node::Node;
use crate::path::{Path, Problem};
use crate::read::Source;

/// A text that is to be one document of a machine format.
pub(crate) struct Typed<'a> {
    source: Source<'a>,
    kind: &'static str,
    tree: Option<Node>,
    /// What diagnostics call the document.
    name: String,
}

impl<'a> Typed<'a> {
    /// `source` as a document of `kind`, which the field `name` names.
    pub(crate) fn new(source: Source<'a>, kind: &'static str, name: &str) -> Self {
        let tree = serde_saphyr::from_str_with_options::<Node>(source.text, tree_options()).ok();
        let name = tree.as_ref().and_then(|tree| tree.get(name)?.text()).unwrap_or_default();
        let name = name.to_owned();
        Self { source, kind, tree, name }
    }

    /// The document, or the first thing that keeps it from having the right types.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Diagnostics> {
        let typed = serde_saphyr::from_str_with_options(self.source.text, type_options());
        typed.map_err(|error: serde_saphyr::Error| {
            let BadDocument { place, reason } = error.into();
            let path = self.tree.as_ref().map_or_else(Path::root, |tree| tree.path_of(place));
            self.diagnose(vec![Problem { path, line: Some(place.line), reason }])
        })
    }

    /// Says where the problems are.
    pub(crate) fn diagnose(&self, problems: Vec<Problem>) -> Diagnostics {
        let line_of = |path: &Path| self.tree.as_ref().map(|tree| tree.line(path));
        let diagnose = |problem: Problem| Diagnostic {
            file: self.source.name.to_owned(),
            line: problem.line.or_else(|| line_of(&problem.path)).unwrap_or(1),
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            field: problem.path.to_string(),
            reason: problem.reason,
        };
        Diagnostics(problems.into_iter().map(diagnose).collect())
    }
}
