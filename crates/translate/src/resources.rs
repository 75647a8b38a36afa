//! Resources and where they come from.

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use kube::Resource;
use wire::Snapshot;

use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::path::{Path, Problem};

/// Everything that a translation is made from.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// The pools. Of two that want the same host, the first gets it.
    pub pools: Vec<Located<EdgePool>>,
    /// The shields.
    pub shields: Vec<Located<OriginShield>>,
    /// The purges.
    pub purges: Vec<Located<PurgeRequest>>,
    /// The bans.
    pub bans: Vec<Located<BanRule>>,
    /// Whether there were documents that are, or may be, pools and could not be read: then nobody
    /// knows all the hosts that are served.
    pub lost_pools: bool,
    /// Pools that are refused before they are looked at, as `namespace` and `name`: they serve on in their last
    /// good state.
    pub refused: Vec<(String, String)>,
}

/// What a pool runs on that is refused now: its last good state.
#[derive(Clone, Debug, PartialEq)]
pub enum Former {
    /// Nothing: it was never accepted.
    Nothing,
    /// This.
    Snapshot(Box<Snapshot>),
    /// It may serve, and nobody knows what.
    Unknown,
}

/// A resource that knows which line each of its fields is on.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The resource.
    pub value: T,
    file: String,
    tree: Option<Node>,
}

/// A resource that does not come from a text, but from a cluster or a program.
impl<T> From<T> for Located<T> {
    fn from(value: T) -> Self {
        Self { value, file: String::new(), tree: None }
    }
}

impl<T> Located<T> {
    pub(crate) fn in_file(value: T, file: &str, tree: Node) -> Self {
        Self { value, file: file.to_owned(), tree: Some(tree) }
    }

    /// Whether the lines are known, and with them that the schema is fulfilled.
    pub(crate) fn is_from_text(&self) -> bool {
        self.tree.is_some()
    }
}

impl<T: Resource<DynamicType = ()>> Located<T> {
    /// `namespace/name`, or `name` if it has no namespace.
    #[must_use]
    pub fn full_name(&self) -> String {
        let meta = self.value.meta();
        full_name(meta.namespace.as_deref(), meta.name.as_deref().unwrap_or_default())
    }

    /// What tells it from others of its kind. No namespace is the same as `default`.
    pub(crate) fn identity(&self) -> (String, String) {
        let meta = self.value.meta();
        let namespace = meta.namespace.clone().unwrap_or_else(|| "default".to_owned());
        (namespace, meta.name.clone().unwrap_or_default())
    }

    /// Where a field is, to be named in the message of another.
    pub(crate) fn place(&self, path: &Path) -> String {
        let field = format!("{}/{} {path}", T::kind(&()), self.full_name());
        match &self.tree {
            Some(tree) => format!("{field} ({}:{})", self.file, tree.line(path)),
            None => field,
        }
    }

    /// The source, and the line that a field is on.
    pub(crate) fn origin(&self, path: &Path) -> (String, u32) {
        (self.file.clone(), self.tree.as_ref().map_or(0, |tree| tree.line(path)))
    }

    pub(crate) fn diagnose(&self, problem: Problem) -> Diagnostic {
        let (file, line) = self.origin(&problem.path);
        Diagnostic {
            file,
            line: problem.line.unwrap_or(line),
            kind: T::kind(&()).into_owned(),
            name: self.full_name(),
            field: problem.path.to_string(),
            reason: problem.reason,
        }
    }
}

pub(crate) fn full_name(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}
