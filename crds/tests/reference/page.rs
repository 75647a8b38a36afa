//! The page: a chapter for each kind, in it a table for each object.

use std::collections::HashMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::conditions::Row;
use crate::types;

const HEAD: &str = "# API reference

What can be written into the custom resources of `cdn.blueorigin.dev/v1alpha1`, and what their status says. It is made of
the Rust types in [`crds/`](../crds/src), as the definitions in a cluster are; `kubectl explain edgepool.spec` shows the
same. [examples/](../examples) have whole resources to start from, [operations.md](operations.md) says how to run them.

| kind | what it is |
|---|---|
";

const NOTATION: &str = "
## Notation

- **duration**: whole numbers with a unit, `h`, `m`, `s` or `ms`, the larger unit first: `500ms`, `30s`, `1h30m`. A number alone
  is refused.
- **bytes**: a whole number, alone or with a suffix: `Ki`, `Mi`, `Gi`, `Ti` (powers of 1024), `k`, `M`, `G`, `T` (of 1000).
- **amount**: of a resource, as in a pod: `500m`, `2`, `1Gi`.
- A default in the table is what counts if the field is not there; `–` is none. `spec.sites[].key` is the field `key` of each
  item of the list `sites` of `spec`. An unknown field is refused by `kubectl apply` and by `local`.
";

/// All of it.
pub(crate) fn page(definitions: &[CustomResourceDefinition], conditions: &[Row<'_>]) -> String {
    let mut page = HEAD.to_owned();
    let definitions: Vec<_> =
        definitions.iter().map(|one| serde_json::to_value(one).unwrap()).collect();
    for definition in &definitions {
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap();
        let what = said(&version(definition)["schema"]["openAPIV3Schema"]);
        page.push_str(&format!("| [{kind}](#{}) | {what} |\n", anchor(kind)));
    }
    page.push_str(NOTATION);
    let (mut told, types) = (HashMap::new(), descriptions());
    for definition in &definitions {
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap();
        let mut chapter = Chapter { kind, told: &mut told, types: &types, text: String::new() };
        chapter.write(definition, conditions);
        page.push_str(&chapter.text);
    }
    page
}

fn version(definition: &Value) -> &Value {
    &definition["spec"]["versions"][0]
}

struct Chapter<'a> {
    kind: &'a str,
    /// The headings of objects that were told of, by what they are: several kinds have the same.
    told: &'a mut HashMap<String, String>,
    /// What the Rust types say of themselves, by their fields: in a definition, a field's own words stand there.
    types: &'a HashMap<String, String>,
    text: String,
}

impl Chapter<'_> {
    fn write(&mut self, definition: &Value, conditions: &[Row<'_>]) {
        let names = &definition["spec"]["names"];
        let schema = &version(definition)["schema"]["openAPIV3Schema"];
        let (kind, plural) = (self.kind, names["plural"].as_str().unwrap());
        let short = names["shortNames"][0].as_str().unwrap();
        self.line(&format!("\n## {kind}\n\n{}\n", said(schema)));
        self.line(&format!(
            "Short name `{short}`, among all of category `{}`: `kubectl get {short}`, `kubectl get cdn`.{}\n",
            names["categories"][0].as_str().unwrap(),
            match &version(definition)["subresources"]["scale"]["specReplicasPath"] {
                Value::String(path) => format!(
                    " `kubectl scale {plural}/NAME --replicas N` changes `{}`.",
                    path.trim_start_matches('.')
                ),
                _ => String::new(),
            }
        ));
        self.object("spec", &schema["properties"]["spec"]);
        self.object("status", &schema["properties"]["status"]);
        self.conditions(conditions);
        self.columns(plural, version(definition));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A table of the object at `path`, then those of the objects in it.
    fn object(&mut self, path: &str, schema: &Value) {
        let heading = self.heading(path);
        let of_type = self.types.get(&fields(schema)).filter(|said| !said.is_empty());
        let what = of_type.cloned().unwrap_or_else(|| said(schema));
        self.line(&format!("### {heading}\n\n{what}\n"));
        self.line("| field | type | default | what it is |\n|---|---|---|---|");
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
        let is_required = |name: &str| required.iter().any(|one| *one == name);
        let mut fields: Vec<_> = schema["properties"].as_object().unwrap().iter().collect();
        // What must be there comes first.
        fields.sort_by_key(|(name, _)| (!is_required(name), (*name).clone()));
        let mut below = Vec::new();
        for (name, field) in fields {
            let here = format!("{path}.{name}");
            let link = if path == "status" && name == "conditions" {
                Some(anchor(&self.heading("conditions")))
            } else {
                inner(&here, field).map(|(at, object)| {
                    let known = self.told.get(&identity(object)).cloned();
                    let heading = known.unwrap_or_else(|| {
                        let heading = self.heading(&at);
                        self.told.insert(identity(object), heading.clone());
                        below.push((at, object));
                        heading
                    });
                    anchor(&heading)
                })
            };
            let (type_, default) =
                (types::of(field, link.as_deref()), types::default(field, is_required(name)));
            let mut what = said(field);
            for rule in rules(field).filter(|_| link.is_none()) {
                what.push_str(&format!(" Rule: {rule}."));
            }
            self.line(&format!("| `{name}` | {type_} | {default} | {what} |"));
        }
        let rules: Vec<_> = rules(schema).collect();
        if !rules.is_empty() {
            self.line("\nWhat breaks one of these rules is refused at once:\n");
            for rule in rules {
                self.line(&format!("- {rule}"));
            }
        }
        self.line("");
        for (at, object) in below {
            self.object(&at, object);
        }
    }

    fn conditions(&mut self, rows: &[Row<'_>]) {
        let (heading, kind) = (self.heading("conditions"), self.kind);
        self.line(&format!(
            "### {heading}\n\nIn `status.conditions`, as all of Kubernetes has them, with a message in words. What to do about each is in \
             [operations.md](operations.md#what-a-condition-says).\n"
        ));
        self.line("| condition | status | reason | what it means |\n|---|---|---|---|");
        let mut own: Vec<_> =
            rows.iter().filter_map(|row| Some((row.condition(kind)?, row))).collect();
        assert!(!own.is_empty(), "no condition of {kind} in docs/operations.md");
        own.sort_by_key(|(condition, _)| *condition != "`Accepted`");
        for (condition, Row { status, reason, meaning, .. }) in own {
            self.line(&format!("| {condition} | {status} | {reason} | {meaning} |"));
        }
        self.line("");
    }

    fn columns(&mut self, plural: &str, version: &Value) {
        let heading = self.heading("columns");
        self.line(&format!(
            "### {heading}\n\nOf `kubectl get {plural}`; those with a star are shown with `--output wide` alone.\n"
        ));
        self.line("| column | shows |\n|---|---|");
        for column in version["additionalPrinterColumns"].as_array().unwrap() {
            let star = if column["priority"].as_i64().unwrap_or(0) > 0 { " *" } else { "" };
            let name = column["name"].as_str().unwrap().to_uppercase();
            let path = column["jsonPath"].as_str().unwrap().trim_start_matches('.');
            self.line(&format!("| {name}{star} | {} |", shown(path)));
        }
    }

    fn heading(&self, path: &str) -> String {
        format!("{} {path}", self.kind)
    }
}

/// The object that a field, or each item of it, is.
fn inner<'a>(path: &str, field: &'a Value) -> Option<(String, &'a Value)> {
    if !field["properties"].is_null() {
        return Some((path.to_owned(), field));
    }
    let items = &field["items"];
    (!items["properties"].is_null()).then(|| (format!("{path}[]"), items))
}

/// Two objects with the same fields and rules need one table.
fn identity(object: &Value) -> String {
    [&object["properties"], &object["required"], &object["x-kubernetes-validations"]]
        .map(Value::to_string)
        .concat()
}

/// The names of an object's fields, in order.
fn fields(object: &Value) -> String {
    let names = object["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
    let mut names: Vec<_> = names.map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

/// What types say of themselves.
fn descriptions() -> HashMap<String, String> {
    let all = [
        schemars::schema_for!(crds::EdgePoolSpec),
        schemars::schema_for!(crds::OriginShieldSpec),
        schemars::schema_for!(crds::PurgeRequestSpec),
        schemars::schema_for!(crds::BanRuleSpec),
    ];
    let types = all.into_iter().map(Value::from).flat_map(|schema| match &schema["$defs"] {
        Value::Object(types) => types.values().cloned().collect(),
        _ => Vec::new(),
    });
    types
        .map(|type_| (fields(&type_), said(&type_)))
        .filter(|(fields, _)| !fields.is_empty())
        .collect()
}

/// What a column shows: a field, or something of a condition.
fn shown(path: &str) -> String {
    let Some((_, rest)) = path.split_once("@.type==\"") else { return format!("`{path}`") };
    let (condition, rest) = rest.split_once('"').unwrap();
    let field = rest.rsplit('.').next().unwrap();
    format!("the {field} of the condition `{condition}`")
}

/// The description, on one line, fit for a cell.
fn said(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn rules(schema: &Value) -> impl Iterator<Item = &str> {
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    rules.map(|rule| rule["message"].as_str().expect("a rule has a message"))
}

/// Where a heading is found on the page, as GitHub makes it.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
