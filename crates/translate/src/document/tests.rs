use super::*;
use crate::path::Path;

fn lines(text: &str) -> Vec<Result<u32, u32>> {
    let lines = documents(text).into_iter();
    lines.map(|d| d.map(|node| node.line(&Path::root())).map_err(|e| e.place.line)).collect()
}

#[test]
fn splits_documents_and_keeps_their_lines() {
    assert_eq!(lines(""), []);
    assert_eq!(lines("# only a comment\n"), []);
    assert_eq!(lines("a: 1"), [Ok(1)]);
    assert_eq!(lines("---\na: 1\n---\n\n---\nb: 1\n--- # c\nc: 1\n"), [Ok(2), Ok(6), Ok(8)]);
    assert_eq!(lines("--- {a: 1}\n--- {b: 1}\n"), [Ok(1), Ok(2)]);
    assert_eq!(lines("a: 1\n...\nb: 1\n"), [Ok(1), Ok(3)]);
    assert_eq!(lines("a: 1\r\n---\r\nb: 1\r\n"), [Ok(1), Ok(3)]);
    assert_eq!(lines("\u{feff}a: 1\n"), [Ok(1)]);
}

#[test]
fn what_only_looks_like_a_mark_is_none() {
    assert_eq!(lines("a: |\n  ---\n  x\nb: ---x\n"), [Ok(1)]);
    assert_eq!(lines("---a: 1\n"), [Ok(1)]);
}

#[test]
fn directives_stay_with_their_document() {
    assert_eq!(lines("# c\n%YAML 1.2\n---\na: 1\n"), [Ok(4)]);
    assert_eq!(lines("x: 1\n...\n%YAML 1.2\n---\na: 1\n").len(), 2);
}

#[test]
fn a_broken_document_leaves_the_others() {
    assert_eq!(
        lines("a: 1\n---\nb: [1\n---\nc: 1\n---\n\tx: {\n---\nd: 1\n"),
        [Ok(1), Err(3), Ok(5), Err(7), Ok(9)]
    );
}

#[test]
fn hostile_texts_are_errors() {
    let deep = "[".repeat(100_000);
    let flow = format!("a: {}1{}", "{b: ".repeat(10_000), "}".repeat(10_000));
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..12 {
        let before = format!("*a{},", i - 1).repeat(9);
        bomb.push_str(&format!("a{i}: &a{i} [{before}]\n"));
    }
    for text in [&deep, &flow, &bomb, "a: *a\n", "a: &a [*a]\n", "? [a]\n: 1\n", "a: .nan\n", "\0"]
    {
        for document in documents(text) {
            let error = document.unwrap_err();
            assert!(error.place.line > 0 && !error.reason.is_empty());
        }
    }
}
