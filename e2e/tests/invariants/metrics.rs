//! Every metric is in the table of docs/metrics.md, and nothing else is.

use std::collections::BTreeSet;

use proxy::metrics::ProxyMetrics;
use runtime::metrics::Metrics;

use super::{read, rust_files};

fn documented() -> BTreeSet<String> {
    read("docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split('`').next().unwrap().to_owned())
        .collect()
}

/// Names of metrics in the sources: string literals that begin with `cdn_`.
fn declared() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in rust_files().iter().filter(|p| !super::is_test(p)) {
        for piece in read(path).split('"').filter(|piece| piece.starts_with("cdn_")) {
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if piece.chars().all(is_name) && piece != "cdn_loop" {
                names.insert(piece.to_owned());
            }
        }
    }
    names
}

#[test]
fn the_table_lists_what_is_declared() {
    assert_eq!(documented(), declared());
}

#[test]
fn what_a_node_shows_is_declared_that_way() {
    let registry = Metrics::default();
    let _metrics = ProxyMetrics::new(&registry).unwrap();
    let declared = declared();
    let shown: Vec<_> = registry.gather().iter().map(|f| f.name().to_owned()).collect();
    assert!(!shown.is_empty());
    for name in shown {
        assert!(declared.contains(&name), "{name}");
    }
}
