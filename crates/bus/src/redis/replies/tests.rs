use super::*;

fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

fn entry(id: &str, fields: &[&str]) -> Value {
    let fields = fields.iter().map(|field| bulk(field)).collect();
    Value::Array(vec![bulk(id), Value::Array(fields)])
}

const AFTER: Seq = Seq { ms: 1, n: 0 };

#[test]
fn a_page_is_read_and_says_whether_the_entry_before_it_is_kept() {
    let next = entry("2-7", &["prev", "1-0", "number", "12", "order", "x", "more", "y"]);
    let value =
        |entries| Value::Array(vec![bulk("e"), bulk("9-9"), Value::Array(entries), Value::Int(15)]);
    let whole = page(value(vec![entry("1-0", &[]), next.clone()]), AFTER).unwrap();
    let record = Record { seq: Seq { ms: 2, n: 7 }, prev: Some(AFTER), text: Some("x".into()) };
    let expected = Page {
        epoch: "e".into(),
        last: Seq { ms: 9, n: 9 },
        kept: true,
        records: vec![record],
        more: 3,
    };
    assert_eq!(whole, expected);
    assert_eq!(page(value(vec![next]), AFTER).unwrap(), Page { kept: false, ..expected });
}

#[test]
fn entries_by_hand_are_read_as_far_as_they_go() {
    let odd = vec![
        entry("2-0", &["prev", "nonsense"]),
        entry("3-0", &["order"]),
        Value::Array(vec![
            bulk("4-0"),
            Value::Array(vec![bulk("order"), Value::BulkString(vec![0xff, b'x'])]),
        ]),
    ];
    let value = Value::Array(vec![bulk("e"), bulk("4-0"), Value::Array(odd), bulk("nonsense")]);
    let Page { records, more, .. } = page(value, AFTER).unwrap();
    assert_eq!(more, 0);
    let texts: Vec<_> = records.iter().map(|r| (r.prev, r.text.as_deref())).collect();
    assert_eq!(texts, [(None, None), (None, None), (None, Some("\u{fffd}x"))]);
}

#[test]
fn a_node_that_cannot_be_read_is_there_all_the_same() {
    let good = Heartbeat { node: "a".into(), lease_ms: 7, ..listing("a".into(), "").beat };
    let text = format!("12:{}", json(&good).unwrap());
    let nodes = [("a", text.as_str()), ("b", text.as_str()), ("c", "x"), ("d", "")];
    let nodes = nodes.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
    let value = Value::Array(vec![bulk("99"), Value::Array(nodes), Value::Array(vec![bulk("z")])]);
    let (now, listed, left) = members(value).unwrap();
    assert_eq!((now, left), (99, vec!["z".to_owned()]));
    assert_eq!(listed[0], Listed { beat: good, stamp: 12 });
    let rest: Vec<_> = listed[1..].iter().map(|l| (&*l.beat.node, l.beat.lease_ms)).collect();
    assert_eq!(rest, [("b", 0), ("c", 0), ("d", 0)]);
}

#[test]
fn an_acknowledgement_that_cannot_be_read_is_none() {
    let ack = Ack { node: "a".into(), seq: AFTER, matched: None, error: None };
    let told = Value::Array(vec![bulk(&json(&ack).unwrap()), bulk("x"), Value::Nil]);
    let one = Value::Array(vec![Value::Int(1), told]);
    let none = Value::Array(vec![Value::Int(0), Value::Array(vec![])]);
    let read = acks(Value::Array(vec![one.clone(), none]), 2).unwrap();
    assert_eq!(read, [Acks { present: true, acks: vec![ack] }, Acks::default()]);
    assert!(acks(Value::Array(vec![one]), 2).is_err());
}

#[test]
fn strange_answers_are_errors() {
    let strange = [
        Value::Nil,
        Value::Int(1),
        Value::Array(vec![]),
        Value::Array(vec![bulk("e"), bulk("no id"), Value::Array(vec![])]),
        Value::Array(vec![bulk("e"), bulk("1-0"), Value::Nil]),
        Value::Array(vec![bulk("e"), bulk("1-0"), Value::Array(vec![Value::Int(1)])]),
    ];
    for value in strange {
        assert!(page(value.clone(), AFTER).is_err(), "{value:?}");
        assert!(members(value.clone()).is_err(), "{value:?}");
        assert!(acks(value.clone(), 1).is_err(), "{value:?}");
    }
}

#[test]
fn sightings_are_read_and_what_is_written_by_hand_hurts_nobody() {
    let said = ["a", "90:x:y", "b", "nonsense", "c", "200:z"].map(bulk).to_vec();
    let value = Value::Array(vec![bulk("99"), Value::Array(said)]);
    let all = sightings(value).unwrap().unwrap();
    let all: Vec<_> =
        all.iter().map(|s| (&*s.observer, s.stamp, s.age.as_millis(), &*s.report)).collect();
    let expected = [("a", 90, 9, "x:y"), ("b", 0, 99, "nonsense"), ("c", 200, 0, "z")];
    assert_eq!(all, expected);
    assert_eq!(sightings(Value::Array(Vec::new())).unwrap(), None);
    assert!(sightings(Value::Array(vec![bulk("soon"), Value::Array(Vec::new())])).is_err());
    assert!(sightings(Value::Int(1)).is_err());
}
