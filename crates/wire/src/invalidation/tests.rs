use super::*;

#[test]
fn an_order_is_written_as_documented() {
    let order = Invalidation {
        format: FORMAT,
        id: "p-1".into(),
        target: Target::Ban(Ban {
            id: "b-1".into(),
            host: Some("cdn.example.com".into()),
            path: Some(Pattern::Glob("/img/*.png".into())),
            headers: vec![HeaderCondition { name: "content-type".into(), value: None }],
            ttl_ms: 60_000,
        }),
        how: How::Soft,
        dry_run: false,
        issued_ms: 5,
    };
    let text = serde_json::to_string(&order).expect("plain data");
    assert_eq!(
        text,
        r#"{"format":1,"id":"p-1","target":{"ban":{"id":"b-1","host":"cdn.example.com","path":{"glob":"/img/*.png"},"headers":[{"name":"content-type"}],"ttlMs":60000}},"how":"soft","issuedMs":5}"#
    );
    assert_eq!(serde_json::from_str::<Invalidation>(&text).expect("its own text"), order);
}

#[test]
fn heartbeats_of_older_and_later_versions_are_read() {
    let old = r#"{"node":"a","role":"edge","pool":"web","onLogLoss":"revalidate","leaseMs":5000}"#;
    let beat: Heartbeat = serde_json::from_str(old).expect("an old one");
    assert_eq!((beat.lease_ms, beat.ready, beat.draining), (5_000, None, false));
    assert_eq!(serde_json::to_string(&beat).expect("plain data"), old);
    let later = old.replace('}', r#","pop":"fra","requestsPerSecond":7,"ready":true,"mood":3}"#);
    let beat: Heartbeat = serde_json::from_str(&later).expect("a later one");
    assert_eq!((beat.pop.as_deref(), beat.requests_per_second), (Some("fra"), Some(7)));
}

#[test]
fn unknown_fields_are_refused() {
    let text = r#"{"format":1,"id":"a","target":"all","issuedMs":0,"extra":1}"#;
    assert!(serde_json::from_str::<Invalidation>(text).is_err());
    assert!(serde_json::from_str::<Invalidation>(&text.replace(r#","extra":1"#, "")).is_ok());
}
