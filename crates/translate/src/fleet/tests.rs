use super::*;

const GOOD: &str = "\
format: 1
version: v7
rings:
  pop/web/fra:
    members:
      - name: e0
        url: http://10.0.0.1:8080
      - name: e1
        url: http://10.0.0.2:8080
        weight: 50
        pop: fra
  shield/main:
    members: []
";

fn source(text: &str) -> Source<'_> {
    Source { name: "fleet.yaml", text }
}

fn told(text: &str) -> String {
    read_fleet(source(text)).unwrap_err().to_string()
}

#[test]
fn yaml_and_json_say_the_same() {
    let fleet = read_fleet(source(GOOD)).unwrap();
    assert_eq!((fleet.version.as_str(), fleet.rings.len()), ("v7", 2));
    let json = serde_json::to_string(&fleet).unwrap();
    assert_eq!(read_fleet(source(&json)).unwrap(), fleet);
}

#[test]
fn what_is_wrong_has_line_and_field() {
    for (from, to, start, part) in [
        ("format: 1", "format: 2", "1: Fleet/v7: format: ", "format 2 is not 1"),
        ("pop/web/fra", "pop web", "4: Fleet/v7: rings[\"pop web\"]: ", "visible ASCII"),
        ("e1", "e0", "8: Fleet/v7: rings[\"pop/web/fra\"].members[1].name: ", "two members"),
        ("e1", "e 1", "8: Fleet/v7: rings[\"pop/web/fra\"].members[1].name: ", "visible ASCII"),
        (
            "http://10.0.0.2:8080",
            "http://10.0.0.2",
            "9: Fleet/v7: rings[\"pop/web/fra\"].members[1].url: ",
            "must be http://host:port",
        ),
        (
            "weight: 50",
            "weight: 1001",
            "10: Fleet/v7: rings[\"pop/web/fra\"].members[1].weight: ",
            "1000",
        ),
        (
            "pop: fra",
            "pop: ''",
            "11: Fleet/v7: rings[\"pop/web/fra\"].members[1].pop: ",
            "visible ASCII",
        ),
        (
            "weight: 50",
            "weight: half",
            "10: Fleet/v7: rings[\"pop/web/fra\"].members[1].weight: ",
            "",
        ),
        (
            "weight: 50",
            "wait: 50",
            "10: Fleet/v7: rings[\"pop/web/fra\"].members[1].wait: ",
            "wait",
        ),
    ] {
        let error = told(&GOOD.replacen(from, to, 1));
        assert!(error.starts_with(&format!("fleet.yaml:{start}")), "{to}: {error}");
        assert!(error.contains(part) && error.lines().count() == 1, "{to}: {error}");
    }
}

#[test]
fn refuses_what_is_not_a_fleet() {
    for text in ["", "rings: [", "[]", "format: 1\nversion: v\n", &format!("{GOOD}---\n{GOOD}")] {
        let error = told(text);
        assert!(error.starts_with("fleet.yaml:") && error.contains(": Fleet"), "{text:?} {error}");
    }
}

#[test]
fn a_ring_of_the_greatest_size_is_read() {
    let member = |n| format!("      - {{name: s{n}, url: \"http://10.0.0.1:8080\"}}\n");
    let members: String = (0..wire::fleet::MAX_MEMBERS).map(member).collect();
    let ring = |n| format!("  r{n}:\n    members:\n{members}");
    let text = format!("format: 1\nversion: v\nrings:\n{}{}{}", ring(0), ring(1), ring(2));
    let fleet = read_fleet(source(&text)).unwrap();
    assert_eq!(fleet.rings.len(), 3);
    let more = text.replacen("    members:\n", &format!("    members:\n{}", member(5000)), 1);
    let error = told(&more);
    assert!(error.contains("rings.r0: ring r0: 1001 members, at most 1000"), "{error}");
}
