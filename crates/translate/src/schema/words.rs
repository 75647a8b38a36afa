//! Parts of sentences.

use crate::node::{Node, Value};

/// What is there instead.
pub(super) fn found(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(b) => format!("the truth value {b}"),
        Value::Int(n) => format!("the number {n}"),
        Value::Float(x) => format!("the number {x}"),
        Value::Text(text) if text.chars().count() <= 60 => format!("the text `{text}`"),
        Value::Text(_) => "a text".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}

/// A number without the `.0`.
pub(super) fn number(x: f64) -> String {
    format!("{x}")
}

/// The nearest of what is allowed, or all of it if nothing is near.
pub(super) fn did_you_mean<'a>(
    word: &str,
    allowed: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let near = allowed
        .clone()
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 2.min(candidate.len() / 2));
    match near {
        Some((_, candidate)) => format!("; did you mean `{candidate}`?"),
        None => match listed(&allowed.collect::<Vec<_>>()) {
            all if all.is_empty() => all,
            all => format!("; known are {all}"),
        },
    }
}

/// Words in a row.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// Letters to add, drop, change or swap with a neighbour (the optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    // Enough of a misspelled field; bounds the work on garbage.
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let above = &rows[i - 1];
            let mut best = (above[j - 1] + usize::from(a[i - 1] != b[j - 1]))
                .min(above[j] + 1)
                .min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
