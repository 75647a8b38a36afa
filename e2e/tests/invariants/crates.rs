//! The crate graph is the table in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use super::{read, root};

struct Row {
    depends_on: BTreeSet<String>,
    never_sees: BTreeSet<String>,
}

fn table() -> BTreeMap<String, Row> {
    let text = read("ARCHITECTURE.md");
    let start = text.find("| crate | what it is | depends on | never sees |").unwrap();
    let list = |cell: &str| -> BTreeSet<String> {
        cell.split(',').map(|name| name.trim().to_owned()).filter(|name| name != "–").collect()
    };
    text[start..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [name, _, depends_on, never_sees] = cells[..] else { panic!("{line}") };
            let row = Row { depends_on: list(depends_on), never_sees: list(never_sees) };
            (name.trim_matches('`').to_owned(), row)
        })
        .collect()
}

/// The names under `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            names.insert(name.trim().trim_end_matches(".workspace").to_owned());
        }
    }
    names
}

fn manifests() -> BTreeMap<String, String> {
    let mut folders: Vec<_> =
        ["cli", "crds", "edge", "shield", "geodns", "local", "operator", "e2e"]
            .map(|d| root().join(d))
            .into();
    folders.extend(std::fs::read_dir(root().join("crates")).unwrap().map(|e| e.unwrap().path()));
    folders
        .into_iter()
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(folder.join("Cargo.toml")).unwrap())
        })
        .collect()
}

#[test]
fn every_crate_is_in_the_table_and_no_other() {
    let here: Vec<_> = manifests().into_keys().collect();
    let listed: Vec<_> = table().into_keys().collect();
    assert_eq!(here, listed);
}

#[test]
fn crates_depend_on_what_the_table_says() {
    let table = table();
    for (name, manifest) in manifests() {
        let all = dependencies(&manifest);
        let ours: BTreeSet<_> = all.iter().filter(|d| table.contains_key(*d)).cloned().collect();
        let row = &table[&name];
        if !row.depends_on.contains("*") {
            assert_eq!(ours, row.depends_on, "workspace dependencies of {name}");
        }
        let seen: Vec<_> = all.intersection(&row.never_sees).collect();
        assert!(seen.is_empty(), "{name} must never see {seen:?}");
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    for (name, manifest) in manifests() {
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name}");
    }
}
