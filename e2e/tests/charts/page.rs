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

const HEAD: &str = r##"# The chart

Installs the definitions of the custom resources, the operator, GeoDNS, and a Redis unless you have one.

    helm install cdn charts/blue-origin --namespace blue-origin --create-namespace
    helm test cdn --namespace blue-origin
    kubectl apply --namespace blue-origin -f examples/quickstart

Pods of a pool read two Secrets of their own namespace: the log's URL and the token of the admin APIs. Where a pool is to
be in another namespace than the release, copy them once; the pool's condition `Ready` names what is missing.

    for secret in cdn-log cdn-admin; do
      kubectl get secret $secret --namespace blue-origin -o json |
        jq '{apiVersion, kind, type, data: (.data | del(.["password.conf"])), metadata: {name: .metadata.name}}' |
        kubectl apply --namespace shop -f -
    done

Upgrading brings the definitions up to date. Uninstalling takes away everything that the chart made but, unless
`crds.keep` is false, the definitions, and with them your pools, which serve on without an operator until one is installed
under the same name again, and the two Secrets that their pods read. Nothing waits for an operator to be deleted, neither
resources nor their namespaces. A ban whose `BanRule` goes while there is no operator is lifted by the next one that comes to
the same log, and ends by its `ttl` at the latest.

| value | default | what it is |
|---|---|---|
"##;

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
