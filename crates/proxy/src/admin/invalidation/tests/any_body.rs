//! Whatever a body says: no panic, and what is refused reached nobody.

use proptest::prelude::*;

use super::*;

/// JSON that is often nearly an order.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("/a".to_owned()),
        Just("http://cdn.example.com/a".to_owned()),
        Just("http://other.example/a".to_owned()),
        Just("90s".to_owned()),
        Just("(".to_owned()),
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner),
        ]
    })
}

fn object(member: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop::sample::select(&[
        "url", "urls", "tag", "tags", "prefix", "all", "soft", "dryRun", "id", "host", "path",
        "headers", "ttl", "glob", "exact", "regex", "name", "value", "other",
    ]);
    prop::collection::vec((name, member), 0..4)
        .prop_map(|fields| fields.into_iter().map(|(name, v)| (name.to_owned(), v)).collect())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        value().prop_map(|v| v.to_string().into_bytes()),
        object(value()).prop_map(|v| v.to_string().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_body_is_sent_once_or_refused_unsent(body in body(), ban: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let desk = Script::new();
        let path = if ban { "/ban" } else { "/purge" };
        let shown = body.escape_ascii().to_string();
        let answer = runtime.block_on(ask(&desk, Request::post(path), body));
        match answer.status {
            200 | 201 => prop_assert_eq!(desk.sent().len(), 1, "{}", shown),
            400 => {
                prop_assert!(desk.sent().is_empty(), "{}", shown);
                prop_assert!(answer.body["field"].is_string() && answer.body["reason"].is_string());
            }
            other => prop_assert!(false, "{}: {}", other, shown),
        }
    }

    #[test]
    fn a_target_of_purge_is_sent_once_or_refused_unsent(
        target in "/(purge/tag/)?[!-~]{0,30}",
        host in "\\PC{0,12}|cdn\\.example\\.com",
    ) {
        let Ok(uri) = target.parse::<axum::http::Uri>() else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let desk = Script::new();
        let request = Request::builder().method("PURGE").uri(uri).header("host", host.as_bytes());
        let answer = runtime.block_on(ask(&desk, request, ""));
        prop_assert_eq!(desk.sent().len(), usize::from(answer.status == 200), "{}", answer);
        prop_assert!(matches!(answer.status, 200 | 400), "{}", answer);
    }
}
