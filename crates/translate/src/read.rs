//! Manifests as the user wrote them.

use std::collections::HashMap;

use crds::{API_VERSION, BanRule, EdgePool, GROUP, OriginShield, PurgeRequest, VERSION};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::{CustomResourceExt, Resource};
use serde::de::DeserializeOwned;

use crate::convert::{self, Served, Shields};
use crate::diagnostic::Diagnostic;
use crate::document::documents;
use crate::node::{Node, Value};
use crate::path::{Path, Problem, Problems};
use crate::resources::{Located, Resources, full_name};
use crate::schema;

mod root;

/// A text and where it comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// As the user knows it, such as the path of the file; it is in every message about it.
    pub name: &'a str,
    /// YAML (or JSON): any number of documents, also `kind: List`.
    pub text: &'a str,
}

/// Reads manifests. What is wrong with one is told in full and keeps only it out of the result.
#[must_use]
pub fn read(sources: &[Source<'_>]) -> (Resources, Vec<Diagnostic>) {
    let mut reader = Reader::new();
    for source in sources {
        reader.file = source.name;
        for document in documents(source.text) {
            match document {
                Ok(node) => reader.document(node),
                Err(error) => {
                    reader.resources.lost_pools = true;
                    let reason = error.to_string();
                    let line = Some(error.place.line);
                    let problem = Problem { path: Path::root(), line, reason };
                    reader.diagnose(&Node::from_json(&serde_json::Value::Null), vec![problem]);
                }
            }
        }
    }
    (reader.resources, reader.diagnostics)
}

const KINDS: &str = "`EdgePool`, `OriginShield`, `PurgeRequest` and `BanRule`";

struct Reader<'a> {
    file: &'a str,
    pool_schema: JSONSchemaProps,
    shield_schema: JSONSchemaProps,
    purge_schema: JSONSchemaProps,
    ban_schema: JSONSchemaProps,
    /// Where the resource of a kind, namespace and name was.
    seen: HashMap<(String, (String, String)), String>,
    resources: Resources,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn new() -> Self {
        Self {
            file: "",
            pool_schema: root::schema(EdgePool::crd()),
            shield_schema: root::schema(OriginShield::crd()),
            purge_schema: root::schema(PurgeRequest::crd()),
            ban_schema: root::schema(BanRule::crd()),
            seen: HashMap::new(),
            resources: Resources::default(),
            diagnostics: Vec::new(),
        }
    }

    fn document(&mut self, node: Node) {
        let mut problems = Problems::default();
        let text = |key| node.get(key).and_then(Node::text);
        match (text("apiVersion"), text("kind")) {
            (Some("v1"), Some("List")) => return self.list(node),
            (Some(API_VERSION), Some("EdgePool")) => {
                let schema = self.pool_schema.clone();
                let pool = self.resource::<EdgePool>(&schema, node, |pool, problems| {
                    convert::pool(pool, &Shields::Unknown, problems);
                });
                self.resources.lost_pools |= pool.is_none();
                return self.resources.pools.extend(pool);
            }
            (Some(API_VERSION), Some("OriginShield")) => {
                let schema = self.shield_schema.clone();
                let shield = self.resource::<OriginShield>(&schema, node, |shield, problems| {
                    convert::shield(shield, problems);
                });
                return self.resources.shields.extend(shield);
            }
            (Some(API_VERSION), Some("PurgeRequest")) => {
                let schema = self.purge_schema.clone();
                let purge = self.resource::<PurgeRequest>(&schema, node, |purge, problems| {
                    convert::purge(purge, &Served(None), problems);
                });
                return self.resources.purges.extend(purge);
            }
            (Some(API_VERSION), Some("BanRule")) => {
                let schema = self.ban_schema.clone();
                let ban = self.resource::<BanRule>(&schema, node, |ban, problems| {
                    convert::ban(ban, &Served(None), problems);
                });
                return self.resources.bans.extend(ban);
            }
            (Some(API_VERSION), Some(kind)) => problems.add(
                &Path::root().key("kind"),
                format!("`{kind}` is not a kind of {GROUP}; known are {KINDS}"),
            ),
            (Some(other), Some(_)) if other.split('/').next() == Some(GROUP) => problems.add(
                &Path::root().key("apiVersion"),
                format!(
                    "`{other}` is not a version that this release knows; write `{GROUP}/{VERSION}`"
                ),
            ),
            (Some(other), Some(kind)) => problems.add(
                &Path::root().key("apiVersion"),
                format!(
                    "`{other}` `{kind}` is none of this CDN's resources, which have apiVersion \
                     `{API_VERSION}` and one of the kinds {KINDS}"
                ),
            ),
            _ if !matches!(node.value, Value::Map(_)) => {
                problems.add(
                    &Path::root(),
                    "not a resource: a mapping with `apiVersion` and `kind` is",
                );
            }
            (version, kind) => {
                if version.is_none() {
                    let reason = format!("is missing or not text; write `{API_VERSION}`");
                    problems.add(&Path::root().key("apiVersion"), reason);
                }
                if kind.is_none() {
                    let reason = format!("is missing or not text; known are {KINDS}");
                    problems.add(&Path::root().key("kind"), reason);
                }
            }
        }
        self.diagnose(&node, problems.0);
    }

    fn list(&mut self, node: Node) {
        let items = match &node.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == "items"),
            _ => None,
        };
        match items.map(|entry| entry.node.value.clone()) {
            Some(Value::List(items)) => items.into_iter().for_each(|item| self.document(item)),
            None | Some(Value::Null) => {}
            Some(_) => {
                let mut problems = Problems::default();
                problems.add(&Path::root().key("items"), "must be a list of resources");
                self.diagnose(&node, problems.0);
            }
        }
    }

    fn resource<T: Resource<DynamicType = ()> + DeserializeOwned>(
        &mut self,
        schema: &JSONSchemaProps,
        node: Node,
        convert: impl FnOnce(&T, &mut Problems),
    ) -> Option<Located<T>> {
        let mut problems = Problems::default();
        schema::check(schema, &node, &Path::root(), &mut problems);
        root::metadata(&node, &mut problems);
        let mut json = node.to_json();
        if let Some(fields) = json.as_object_mut() {
            fields.remove("status");
        }
        let value = match serde_json::from_value::<T>(json) {
            Ok(value) => value,
            Err(error) => {
                // The schema has told it better, if it is not the schema that is wrong.
                if problems.0.is_empty() {
                    problems.add(&Path::root().key("spec"), error);
                }
                self.diagnose(&node, problems.0);
                return None;
            }
        };
        let located = Located::in_file(value, self.file, node);
        if !problems.0.is_empty() {
            // The resource is lost, but the user shall hear of all that is wrong with it.
            let mut more = Problems::default();
            convert(&located.value, &mut more);
            // But not of consequences: what is wrong with the whole, when a part is wrong.
            more.0.retain(|new| !problems.0.iter().any(|old| old.path.is_within(&new.path)));
            problems.0.append(&mut more.0);
        }
        let key = (T::kind(&()).into_owned(), located.identity());
        let place = located.place(&Path::root().key("metadata").key("name"));
        if let Some(first) = self.seen.get(&key) {
            let at = Path::root().key("metadata").key("name");
            problems.add(&at, format!("already the name of {first}; rename one of the two"));
        } else {
            self.seen.insert(key, place);
        }
        let sound = problems.0.is_empty();
        let mut found: Vec<_> = problems.0.into_iter().map(|p| located.diagnose(p)).collect();
        found.sort_by_key(|diagnostic| diagnostic.line);
        self.diagnostics.append(&mut found);
        sound.then_some(located)
    }

    /// For documents that did not become a resource.
    fn diagnose(&mut self, node: &Node, problems: Vec<Problem>) {
        let metadata = node.get("metadata");
        let text = |key| metadata.and_then(|metadata| metadata.get(key)).and_then(Node::text);
        let kind = node.get("kind").and_then(Node::text).unwrap_or_default();
        let name = full_name(text("namespace"), text("name").unwrap_or_default());
        let mut found: Vec<_> = problems
            .into_iter()
            .map(|problem| Diagnostic {
                file: self.file.to_owned(),
                line: problem.line.unwrap_or_else(|| node.line(&problem.path)),
                kind: kind.to_owned(),
                name: name.clone(),
                field: problem.path.to_string(),
                reason: problem.reason,
            })
            .collect();
        found.sort_by_key(|diagnostic| diagnostic.line);
        self.diagnostics.append(&mut found);
    }
}
