use super::*;
use wire::invalidation::{Ban, How};

fn order(id: &str, target: Target) -> Invalidation {
    let how = How::Hard;
    Invalidation { format: FORMAT, id: id.into(), target, how, dry_run: false, issued_ms: 0 }
}

#[test]
fn what_is_written_is_read() {
    let written = order("p-1", Target::Tags(vec!["a".into()]));
    assert_eq!(read(&write(&written, 1_000).unwrap()), Ok(written));
}

#[test]
fn what_is_wrong_has_a_reason() {
    let text = |id: &str, target| serde_json::to_string(&order(id, target)).unwrap();
    let cases = [
        ("{".to_owned(), "shape"),
        ("[]".to_owned(), "shape"),
        (r#"{"format":1,"id":"a","target":"all","issuedMs":0,"more":1}"#.to_owned(), "shape"),
        (r#"{"format":1,"id":"a","target":{"new":1},"issuedMs":0}"#.to_owned(), "shape"),
        (r#"{"format":2,"id":"a","target":{"new":1}}"#.to_owned(), "format"),
        (text("a", Target::All).replace("\"format\":1", "\"format\":7"), "format"),
        (text("", Target::All), "id"),
        (text(&"a".repeat(65), Target::All), "id"),
        (text("a b", Target::All), "id"),
        (text("a", Target::Lift("é".into())), "id"),
        (text("a", Target::Urls(vec![])), "targets"),
        (text("a", Target::Tags(vec!["t".into(); 1_001])), "targets"),
    ];
    for (text, reason) in cases {
        let found = match read(&text) {
            Err(Malformed::Shape(_)) => "shape",
            Err(Malformed::Format(_)) => "format",
            Err(Malformed::Id) => "id",
            Err(Malformed::Targets(_)) => "targets",
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(found, reason, "{text}");
    }
}

#[test]
fn what_no_reader_would_take_is_not_written() {
    let ban = Ban { id: "x/y".into(), host: None, path: None, headers: vec![], ttl_ms: 1_000 };
    for (bad, most) in [
        (order("a", Target::Ban(ban)), 1_000),
        (order("a b", Target::All), 1_000),
        (order("a", Target::Tags(vec!["t".repeat(500)])), 100),
    ] {
        assert!(matches!(write(&bad, most), Err(BusError::Refused(_))), "{bad:?}");
    }
}
