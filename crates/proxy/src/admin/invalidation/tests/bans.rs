//! `POST /ban`, `GET /ban`, `DELETE /ban/{id}`.

use wire::invalidation::HeaderCondition;

use super::*;

async fn banned(body: Value) -> (Invalidation, Ban) {
    let desk = Script::new();
    let answer = post(&desk, "/ban", &body).await;
    assert_eq!(answer.status, 201, "{body}: {answer}");
    let order = desk.only();
    let Target::Ban(ban) = order.target.clone() else { panic!("{order:?}") };
    assert_eq!(answer.body["id"], ban.id);
    assert_eq!(answer.body["report"], json!(report(&order.id, Phase::Complete)));
    assert_eq!(order.id, ban.id);
    (order, ban)
}

#[tokio::test]
async fn every_condition_becomes_part_of_the_ban() {
    let pattern = |kind: fn(String) -> Pattern, text: &str| Some(kind(text.to_owned()));
    for (path, expected) in [
        (json!({ "glob": "/a/*.png" }), pattern(Pattern::Glob, "/a/*.png")),
        (json!({ "prefix": "/a/" }), pattern(Pattern::Prefix, "/a/")),
        (json!({ "exact": "/a" }), pattern(Pattern::Exact, "/a")),
        (json!({ "glob": "/a?/**" }), pattern(Pattern::Glob, "/a?/**")),
        (json!({ "regex": "^/a/\\d+$" }), pattern(Pattern::Regex, "^/a/\\d+$")),
    ] {
        let (order, ban) = banned(json!({ "path": path })).await;
        assert_eq!((ban.path, ban.host, ban.headers), (expected, None, Vec::new()));
        assert_eq!((ban.ttl_ms, order.how, order.dry_run), (3_600_000, How::Hard, false));
    }
    let (order, ban) = banned(json!({
        "host": "127.0.0.1:8401",
        "path": { "glob": "/**" },
        "headers": [{ "name": "X-Kind" }, { "name": "content-type", "value": { "prefix": "image/" } }],
        "ttl": "90s",
        "soft": true,
        "id": "images",
    }))
    .await;
    assert_eq!(
        (&*ban.id, ban.host.as_deref(), ban.ttl_ms),
        ("images", Some("cdn.example.com"), 90_000)
    );
    assert_eq!(order.how, How::Soft);
    let with = |name: &str, value| HeaderCondition { name: name.to_owned(), value };
    let image = pattern(Pattern::Prefix, "image/");
    assert_eq!(ban.headers, [with("x-kind", None), with("content-type", image)]);
    let (_, ban) = banned(json!({ "headers": [{ "name": "x-kind" }] })).await;
    assert_eq!((ban.path, ban.headers), (None, vec![with("x-kind", None)]));
}

#[tokio::test]
async fn a_ban_says_where_it_is_and_a_dry_one_where_its_report_is() {
    let desk = Script::new();
    let answer = post(&desk, "/ban", &json!({ "path": { "exact": "/a" }, "id": "b" })).await;
    assert_eq!((answer.status, answer.field("location")), (201, "/ban/b"));
    let dry = json!({ "path": { "exact": "/a" }, "id": "b", "dryRun": true });
    let answer = post(&desk, "/ban", &dry).await;
    assert_eq!((answer.status, answer.field("location")), (201, "/purge/b"));
    assert!(desk.sent()[1].dry_run);
}

#[tokio::test]
async fn a_ban_that_cannot_be_used_is_refused_by_field_and_reaches_nobody() {
    let desk = Script::new();
    let regex = |text: &str| json!({ "path": { "regex": text } });
    let path = |path: Value| json!({ "path": path });
    let header = |header: Value| json!({ "headers": [{ "name": "a" }, header] });
    let ttl = |ttl: Value| json!({ "path": { "exact": "/a" }, "ttl": ttl });
    let wild = format!("/{}", "*a".repeat(33));
    for (body, field, reason) in [
        (json!({}), "body", "path, headers or both"),
        (json!({ "host": "cdn.example.com" }), "body", "path, headers or both"),
        (json!({ "headers": [] }), "body", "path, headers or both"),
        (json!({ "paths": {} }), "paths", "not known here; known are host, path"),
        (path(json!("/a")), "path", "must be an object"),
        (path(json!({})), "path", "exactly one of glob, prefix, exact, regex"),
        (path(json!({ "glob": "/a", "exact": "/a" })), "path", "exactly one of"),
        (path(json!({ "globs": "/a" })), "path.globs", "not known here; known are glob"),
        (path(json!({ "glob": 7 })), "path.glob", "must be a text"),
        (path(json!({ "glob": "" })), "path.glob", "empty"),
        (path(json!({ "glob": wild })), "path.glob", "more than 32 wildcards"),
        (path(json!({ "exact": "x".repeat(2049) })), "path.exact", "longer than 2048"),
        (path(json!({ "glob": "a/*" })), "path", "every path begins with /"),
        (path(json!({ "exact": "/a?b" })), "path", "the query is no part of the path"),
        (path(json!({ "prefix": "/a?" })), "path", "the query is no part of the path"),
        (regex("(a"), "path.regex", "does not compile: unclosed group"),
        (regex("\\w{1000}{1000}"), "path.regex", "too costly"),
        (regex(&"a".repeat(1025)), "path.regex", "longer than 1024"),
        (json!({ "headers": {} }), "headers", "must be a list"),
        (json!({ "headers": vec![json!({ "name": "a" }); 17] }), "headers", "16 conditions"),
        (header(json!("x-kind")), "headers[1]", "must be an object"),
        (header(json!({})), "headers[1].name", "must be there"),
        (header(json!({ "name": "x kind" })), "headers[1].name", "header field"),
        (header(json!({ "name": "x", "is": 1 })), "headers[1].is", "known are name, value"),
        (header(json!({ "name": "x", "value": "a" })), "headers[1].value", "must be an object"),
        (
            header(json!({ "name": "x", "value": { "regex": "*" } })),
            "headers[1].value.regex",
            "does not compile",
        ),
        (json!({ "path": { "exact": "/" }, "host": "other.example" }), "host", "no site of this"),
        (json!({ "path": { "exact": "/" }, "host": "a b" }), "host", "not a host name"),
        (json!({ "path": { "exact": "/" }, "host": 7 }), "host", "must be a text"),
        (ttl(json!("0s")), "ttl", "1 second to 30 days"),
        (ttl(json!("31d")), "ttl", "1 second to 30 days"),
        (ttl(json!(0)), "ttl", "1 second to 30 days"),
        (json!({ "path": { "exact": "/" }, "soft": 1 }), "soft", "true or false"),
    ] {
        post(&desk, "/ban", &body).await.refuses(field, reason);
    }
    assert!(desk.sent().is_empty(), "{:#?}", desk.sent());
}

#[tokio::test]
async fn bans_in_force_are_listed() {
    let answer = ask(&Script::new(), Request::get("/ban"), "").await;
    let expected = json!({ "bans": [{
        "id": "b1",
        "ban": { "id": "b1", "path": { "glob": "/a/*" }, "ttlMs": 60_000 },
        "how": "soft",
        "seq": "7-1",
        "matched": 9,
        "state": "active",
        "ageSeconds": 20,
        "expiresInSeconds": 40,
    }] });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn a_ban_is_lifted_by_an_order_of_its_own() {
    let desk = Script::new();
    for path in ["/ban/b2", "/ban/%ff"] {
        let answer = ask(&desk, Request::delete(path), "").await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not-found")), "{path}");
    }
    assert!(desk.sent().is_empty());
    let answer = ask(&desk, Request::delete("/ban/b1").header("prefer", "wait=9"), "").await;
    let order = desk.only();
    assert_eq!(order.target, Target::Lift("b1".to_owned()));
    assert_ne!(order.id, "b1");
    assert_eq!((answer.status, answer.body), (200, json!(report(&order.id, Phase::Complete))));
    assert_eq!(desk.waits(), [9]);
}
