//! What `docs/standards.md` promises is cited by code and by tests, and nothing else is cited.

use std::collections::{BTreeMap, BTreeSet};

use super::{is_test, read, rust_files};

/// `rfc9111#4.2.1` for every section listed.
fn listed() -> BTreeSet<String> {
    let mut rfc = String::new();
    let mut sections = BTreeSet::new();
    for line in read("docs/standards.md").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            rfc = title.split(" – ").next().unwrap().replace(' ', "").to_lowercase();
        } else if let Some(title) = line.strip_prefix("### ") {
            let number = title.split(' ').next().unwrap();
            assert!(sections.insert(format!("{rfc}#{number}")), "listed twice: {rfc} {number}");
        }
    }
    sections
}

/// Where each section is cited, by code and by tests.
fn cited() -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let mut citations: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for path in rust_files() {
        for (i, line) in read(&path).lines().enumerate() {
            let Some(section) = line.trim_start().strip_prefix("//= ") else { continue };
            let place = format!("{}:{}", path.display(), i + 1);
            let (code, tests) = citations.entry(section.trim().to_owned()).or_default();
            if is_test(&path) { tests.push(place) } else { code.push(place) }
        }
    }
    citations
}

#[test]
fn every_listed_section_is_kept_and_tested() {
    let cited = cited();
    let listed = listed();
    assert!(listed.len() > 50, "the list is read");
    let missing: Vec<_> = listed
        .iter()
        .filter_map(|section| match cited.get(section) {
            None => Some(format!("{section}: cited nowhere")),
            Some((code, _)) if code.is_empty() => Some(format!("{section}: no code")),
            Some((_, tests)) if tests.is_empty() => Some(format!("{section}: no test")),
            Some(_) => None,
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn nothing_is_cited_that_is_not_listed() {
    let listed = listed();
    let unlisted: Vec<_> =
        cited().into_iter().filter(|(section, _)| !listed.contains(section)).collect();
    assert!(unlisted.is_empty(), "add these to docs/standards.md: {unlisted:#?}");
}
