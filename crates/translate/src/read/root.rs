//! What every resource has besides its spec.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrBool,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::node::{Node, Value};
use crate::path::{Path, Problem, Problems};
use crate::schema;

/// The schema of the whole document: what the API server adds to that of the definition. What users
/// leave of a status in a manifest is not looked at.
pub(super) fn schema(definition: CustomResourceDefinition) -> JSONSchemaProps {
    let mut schema = schema::schema_of(definition);
    let properties = schema.properties.get_or_insert_default();
    for key in ["apiVersion", "kind", "status"] {
        properties.insert(key.to_owned(), JSONSchemaProps::default());
    }
    properties.insert("metadata".to_owned(), metadata_schema());
    schema
}

/// Of the many fields, those that people write.
fn metadata_schema() -> JSONSchemaProps {
    let of_type =
        |name: &str| JSONSchemaProps { type_: Some(name.to_owned()), ..JSONSchemaProps::default() };
    let text = of_type("string");
    let texts = JSONSchemaProps {
        additional_properties: Some(JSONSchemaPropsOrBool::Schema(Box::new(text.clone()))),
        ..of_type("object")
    };
    let fields =
        [("name", &text), ("namespace", &text), ("labels", &texts), ("annotations", &texts)];
    JSONSchemaProps {
        properties: Some(fields.map(|(key, of)| (key.to_owned(), of.clone())).into()),
        x_kubernetes_preserve_unknown_fields: Some(true),
        ..of_type("object")
    }
}

/// What Kubernetes requires of names, and of what the schema leaves open.
pub(super) fn metadata(node: &Node, problems: &mut Problems) {
    let path = Path::root().key("metadata");
    let metadata = node.get("metadata");
    if metadata.is_none_or(|m| matches!(m.value, Value::Map(_)) && m.get("name").is_none()) {
        problems.add(&path.key("name"), "is missing; every resource has a name");
    }
    let Some(metadata) = metadata else { return };
    if let Some(name) = metadata.get("name").and_then(Node::text)
        && (name.len() > 253 || !name.split('.').all(is_label))
    {
        let reason = "lower-case letters, digits and inner hyphens, perhaps with dots between them";
        problems.add(&path.key("name"), format!("`{name}` is not a name for a resource: {reason}"));
    }
    if let Some(name) = metadata.get("namespace").and_then(Node::text)
        && (name.len() > 63 || !is_label(name))
    {
        let reason = "lower-case letters, digits and inner hyphens";
        problems.add(&path.key("namespace"), format!("`{name}` is not a name: {reason}"));
    }
    let told = |problem: &Problem| problem.path.steps().first() == path.steps().first();
    if !problems.0.iter().any(told)
        && let Err(error) = serde_json::from_value::<ObjectMeta>(metadata.to_json())
    {
        problems.add(&path, error);
    }
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
