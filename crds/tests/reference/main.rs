//! `docs/api.md` is what the types say. `UPDATE=1 cargo test -p crds` rewrites it.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod conditions;
mod page;
mod types;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file)
}

fn generated() -> String {
    let operations = std::fs::read_to_string(docs("operations.md")).unwrap();
    page::page(&crds::definitions(), &conditions::read(&operations))
}

#[test]
fn the_committed_page_is_the_generated_one() {
    let (path, generated) = (docs("api.md"), generated());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/api.md is not what the types say; rewrite it with UPDATE=1 cargo test -p crds"
    );
}

/// Where a reader is sent, there is something.
#[test]
fn every_link_leads_to_one_heading() {
    let page = generated();
    let mut anchors = HashSet::new();
    for heading in page.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' ')) {
        let anchor = page::anchor(heading);
        assert!(anchors.insert(anchor), "two headings `{heading}`");
    }
    let links: Vec<_> =
        page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 40, "{} links", links.len());
    for link in links {
        assert!(anchors.contains(link), "no heading for #{link}");
    }
}

/// A field that is not there would be missed in a review of the page alone.
#[test]
fn every_field_of_every_kind_is_on_the_page() {
    fn fields(schema: &serde_json::Value, found: &mut Vec<String>) {
        for (name, below) in schema["properties"].as_object().into_iter().flatten() {
            found.push(name.clone());
            fields(below, found);
        }
        for below in ["items", "additionalProperties"] {
            if schema[below].is_object() {
                fields(&schema[below], found);
            }
        }
    }
    let page = generated();
    let mut all = Vec::new();
    for definition in crds::definitions() {
        let json = serde_json::to_value(&definition).unwrap();
        let schema = &json["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        fields(&schema["properties"]["spec"], &mut all);
    }
    assert!(all.len() > 150, "{} fields", all.len());
    for field in all {
        assert!(page.contains(&format!("| `{field}` ")), "no row for {field}");
    }
}
