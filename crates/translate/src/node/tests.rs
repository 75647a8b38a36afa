use super::*;

fn tree(text: &str) -> Node {
    serde_saphyr::from_str(text).unwrap()
}

fn lines(text: &str, paths: &[(&Path, u32)]) {
    let tree = tree(text);
    for (path, line) in paths {
        assert_eq!(tree.line(path), *line, "{path}");
    }
}

#[test]
fn a_field_is_on_the_line_of_its_key() {
    let root = Path::root();
    lines(
        "a:\n  b:\n    - x\n    - y: 1\n      z:\n        long\n    - {q: 1,\n       r: 2}\nc: 3\n",
        &[
            (&root, 1),
            (&root.key("a"), 1),
            (&root.key("a").key("b"), 2),
            (&root.key("a").key("b").index(0), 3),
            (&root.key("a").key("b").index(1), 4),
            (&root.key("a").key("b").index(1).key("z"), 5),
            (&root.key("a").key("b").index(2).key("q"), 7),
            (&root.key("a").key("b").index(2).key("r"), 8),
            (&root.key("c"), 9),
        ],
    );
}

#[test]
fn what_is_missing_is_on_the_line_of_what_lacks_it() {
    let root = Path::root();
    let a = root.key("a");
    lines(
        "\na:\n- b: 1\n",
        &[
            (&a.index(0).key("c"), 3),
            (&a.index(7), 2),
            (&a.key("x").key("y"), 2),
            (&root.key("z"), 2),
        ],
    );
}

#[test]
fn what_an_alias_brings_is_on_its_line() {
    let root = Path::root();
    lines(
        "a: &x\n  - b: 1\nc: *x\n",
        &[(&root.key("c"), 3), (&root.key("c").index(0).key("b"), 3)],
    );
}

#[test]
fn a_place_has_a_path() {
    let tree = tree("a:\n  b: [1, two]\n  c: 3\n");
    for (line, column, path) in [
        (1, 1, "a"),
        (2, 3, "a.b"),
        (2, 7, "a.b[0]"),
        (2, 10, "a.b[1]"),
        (3, 6, "a.c"),
        (9, 9, "a.c"),
    ] {
        assert_eq!(tree.path_of(Place { line, column }).to_string(), path, "{line}:{column}");
    }
}

#[test]
fn becomes_json_and_back() {
    let text = "a: {b: 1, c: -2.5, d: true, e: text, f: [x, ~], g: ~}\n404: why\nbig: 18446744073709551615";
    let json = tree(text).to_json();
    let expected = r#"{"404":"why","a":{"b":1,"c":-2.5,"d":true,"e":"text","f":["x",null]},"big":18446744073709551615}"#;
    assert_eq!(json, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    assert_eq!(Node::from_json(&json).to_json(), json);
}
