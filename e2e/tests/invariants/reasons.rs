//! docs/operations.md says of every reason of a condition what it means and what to do.

use std::collections::BTreeSet;

use super::{is_test, read, rust_files};

/// The words of the code spans in a column of the table of reasons.
fn documented(column: usize) -> BTreeSet<String> {
    let page = read("docs/operations.md");
    let rows = page.lines().filter(|line| line.matches(" | ").count() == 5);
    rows.flat_map(|row| {
        let cell = row.trim_matches('|').split(" | ").nth(column).unwrap().to_owned();
        let words = cell.split('`').skip(1).step_by(2).map(str::to_owned);
        words.collect::<Vec<_>>()
    })
    .collect()
}

/// Words in the form of a reason in the parts of the operator that make conditions.
fn made() -> BTreeSet<String> {
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.len() > 2
            && text.chars().all(|c| c.is_ascii_alphabetic())
    };
    let mut words = BTreeSet::new();
    let mut files = 0;
    for path in rust_files().iter().filter(|p| p.starts_with("operator/src") && !is_test(p)) {
        let text = read(path);
        let makes = text.contains("Wanted {") && !text.contains("pub struct Wanted")
            || text.contains("enum Reason");
        if !makes {
            continue;
        }
        files += 1;
        // What an event says was done is no reason.
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("action:"));
        for line in lines {
            let literals = line.split('"').skip(1).step_by(2).filter(|text| is_word(text));
            words.extend(literals.map(str::to_owned));
        }
    }
    assert!(files >= 3, "conditions are made in {files} files");
    words
}

#[test]
fn the_table_has_every_reason_and_no_other() {
    let mut told = documented(3);
    told.extend(documented(1));
    assert_eq!(told, made(), "the table of docs/operations.md (left) and the operator (right)");
}

#[test]
fn each_row_says_what_it_means_and_what_to_do() {
    let kinds: BTreeSet<_> =
        ["EdgePool", "OriginShield", "PurgeRequest", "BanRule"].map(str::to_owned).into();
    assert_eq!(documented(0), kinds);
    let page = read("docs/operations.md");
    for row in page.lines().filter(|line| line.matches(" | ").count() == 5) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let known = ["True", "False", "Unknown", "status"].contains(&cells[2]);
        assert!(known, "{row}");
    }
}
