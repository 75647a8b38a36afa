//! `charts/blue-origin/README.md` is made of the comments in `values.yaml`.

use super::chart;

/// A value: its path, its default, and what its comment says.
struct Row {
    path: String,
    default: String,
    what: String,
}

fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut what) = (Vec::new(), Vec::new());
    // What is above a line: its indent, its name, and what it says for those below that say nothing.
    let mut path = Vec::<(usize, String, String)>::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            what.push(comment.trim().to_owned());
        } else if let Some((key, value)) = line.split_once(':') {
            path.retain(|(above, ..)| *above < indent);
            let above = path.last().map(|(.., said)| said.clone()).unwrap_or_default();
            let said = if what.is_empty() { above } else { what.join(" ") };
            path.push((indent, key.to_owned(), said.clone()));
            let value = value.trim();
            if !value.is_empty() {
                let names: Vec<_> = path.iter().map(|(_, name, _)| name.as_str()).collect();
                let (path, default) = (names.join("."), value.to_owned());
                rows.push(Row { path, default, what: said });
            }
            what.clear();
        } else {
            what.clear();
        }
    }
    rows
}

fn page(values: &str) -> String {
    let mut page = String::from(HEAD);
    for Row { path, default, what } in rows(values) {
        page.push_str(&format!("| `{path}` | `{default}` | {what} |\n"));
    }
    page
}

const HEAD: &str = "# The chart

Installs the definitions of the custom resources, the operator, GeoDNS, and a Redis unless you have one.

    helm install cdn charts/blue-origin --namespace blue-origin --create-namespace

Then `kubectl apply -f examples/quickstart/pool.yaml`. Upgrading brings the definitions up to date; uninstalling leaves
them, and with them your resources, unless `crds.keep` is false. Delete `BanRule`s first: what lifts them goes too.

| value | default | what it is |
|---|---|---|
";

#[test]
fn the_page_lists_all_values() {
    let values = std::fs::read_to_string(chart().join("values.yaml")).unwrap();
    for row in rows(&values) {
        assert!(!row.what.is_empty(), "{} has no comment", row.path);
    }
    let (path, page) = (chart().join("README.md"), page(&values));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(is, page, "rewrite it with UPDATE=1 cargo test -p e2e --test charts");
}
