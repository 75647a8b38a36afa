//! `POST /purge` and `GET /purge/{id}`.

use wire::invalidation::{FORMAT, Prefix, Url};

use super::*;

fn url(path: &str) -> Url {
    Url { host: "cdn.example.com".to_owned(), path: path.to_owned() }
}

fn prefix(host: Option<&str>, path: &str) -> Target {
    Target::Prefix(Prefix { host: host.map(str::to_owned), path: path.to_owned() })
}

#[tokio::test]
async fn every_kind_of_target_becomes_an_order() {
    let site = Some("cdn.example.com");
    for (body, target) in [
        (json!({ "urls": ["http://cdn.example.com/a?b=1"] }), Target::Urls(vec![url("/a?b=1")])),
        (json!({ "url": "https://CDN.example.com.:443" }), Target::Urls(vec![url("/")])),
        (json!({ "url": "http://127.0.0.1:8401/x/../%7ea#f" }), Target::Urls(vec![url("/~a")])),
        (
            json!({ "urls": ["http://cdn.example.com/a", "HTTPS://[::1]:8401/b"] }),
            Target::Urls(vec![url("/a"), url("/b")]),
        ),
        (json!({ "tags": ["one", "zwei-ü"] }), Target::Tags(vec!["one".into(), "zwei-ü".into()])),
        (json!({ "tag": "one" }), Target::Tags(vec!["one".into()])),
        (json!({ "prefix": "/a/" }), prefix(None, "/a/")),
        (json!({ "prefix": "/" }), prefix(None, "/")),
        (json!({ "prefix": "/x/../a/./" }), prefix(None, "/a/")),
        (json!({ "prefix": "/a/." }), prefix(None, "/a/.")),
        (json!({ "prefix": "/a/.." }), prefix(None, "/a/..")),
        (json!({ "prefix": "/%7ea?b=/../c" }), prefix(None, "/~a?b=/../c")),
        (json!({ "prefix": "/a%2" }), prefix(None, "/a%2")),
        (json!({ "prefix": "https://cdn.example.com/a" }), prefix(site, "/a")),
        (json!({ "prefix": "http://cdn.example.com:8401" }), prefix(site, "/")),
        (json!({ "all": true }), Target::All),
    ] {
        let desk = Script::new();
        let answer = post(&desk, "/purge", &body).await;
        assert_eq!(answer.status, 200, "{body}: {answer}");
        let order = desk.only();
        assert_eq!(order.target, target, "{body}");
        assert_eq!((order.how, order.dry_run), (How::Hard, false), "{body}");
        assert_eq!((order.format, order.issued_ms), (FORMAT, NOW), "{body}");
        assert_eq!(answer.body["id"], order.id, "{body}");
        assert_eq!(answer.field("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn an_order_may_be_soft_dry_and_named() {
    let desk = Script::new();
    let body = json!({ "all": true, "soft": true, "dryRun": true, "id": "deploy-7.a:b_c" });
    let answer = post(&desk, "/purge", &body).await;
    let order = desk.only();
    assert_eq!((order.how, order.dry_run, &*order.id), (How::Soft, true, "deploy-7.a:b_c"));
    assert_eq!(answer.body, json!(report("deploy-7.a:b_c", Phase::Complete)));
    let plain = json!({ "all": true, "soft": false, "dryRun": false });
    let ids: Vec<_> = [post(&desk, "/purge", &plain).await, post(&desk, "/purge", &plain).await]
        .iter()
        .map(|answer| answer.body["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.iter().all(|id| id.len() == 32), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_field_and_reaches_nobody() {
    let desk = Script::new();
    let long = "x".repeat(1025);
    let many = vec!["one"; 1001];
    let deep = format!("/{}", "x".repeat(2048));
    for (body, field, reason) in [
        (json!({}), "body", "exactly one of url, urls, tag"),
        (json!({ "soft": true }), "body", "exactly one of"),
        (json!({ "all": true, "tag": "one" }), "body", "exactly one of"),
        (json!({ "tag": "one", "tags": ["two"] }), "body", "exactly one of"),
        (json!(["all"]), "body", "must be a JSON object"),
        (json!({ "all": false }), "all", "must be true"),
        (json!({ "all": "yes" }), "all", "must be true"),
        (json!({ "all": null }), "all", "must be true"),
        (json!({ "tag": null }), "tag", "must be a text"),
        (json!({ "all": true, "Soft": true }), "Soft", "not known here; known are url, urls"),
        (json!({ "all": true, "soft": "yes" }), "soft", "true or false"),
        (json!({ "all": true, "dryRun": null }), "dryRun", "true or false"),
        (json!({ "all": true, "id": "" }), "id", "1 to 64"),
        (json!({ "all": true, "id": "a/b" }), "id", "1 to 64"),
        (json!({ "all": true, "id": "a".repeat(65) }), "id", "1 to 64"),
        (json!({ "all": true, "id": 7 }), "id", "must be a text"),
        (json!({ "urls": [] }), "urls", "1 to 1000 members, not 0"),
        (json!({ "urls": "http://cdn.example.com/" }), "urls", "must be a list"),
        (json!({ "urls": ["http://cdn.example.com/", 7] }), "urls[1]", "must be a text"),
        (json!({ "urls": ["/a"] }), "urls[0]", "absolute URL"),
        (json!({ "urls": ["cdn.example.com/a"] }), "urls[0]", "absolute URL"),
        (json!({ "url": "" }), "url", "absolute URL"),
        (json!({ "url": "ftp://cdn.example.com/a" }), "url", "neither http nor https"),
        (json!({ "url": "http://cdn.example.com/a b" }), "url", "absolute URL"),
        (json!({ "url": "http://u:p@cdn.example.com/" }), "url", "userinfo"),
        (json!({ "url": "http://a..b/" }), "url", "not a host name"),
        (
            json!({ "urls": ["http://cdn.example.com/", "http://other.example/a"] }),
            "urls[1]",
            "no site of this pool serves host \"other.example\"",
        ),
        (json!({ "tags": [] }), "tags", "1 to 1000 members, not 0"),
        (json!({ "tags": many }), "tags", "1 to 1000 members, not 1001"),
        (json!({ "tags": { "0": "one" } }), "tags", "must be a list"),
        (json!({ "tags": ["one", ""] }), "tags[1]", "is empty"),
        (json!({ "tags": ["one", "a b"] }), "tags[1]", "white space"),
        (json!({ "tags": ["one", null] }), "tags[1]", "must be a text"),
        (json!({ "tag": "a,b" }), "tag", "comma"),
        (json!({ "tag": "a\u{0}" }), "tag", "control"),
        (json!({ "tag": long }), "tag", "too long"),
        (json!({ "prefix": "" }), "prefix", "/path or https://host/path"),
        (json!({ "prefix": "a/" }), "prefix", "/path or https://host/path"),
        (json!({ "prefix": "ftp://cdn.example.com/" }), "prefix", "/path or https://host/path"),
        (json!({ "prefix": "https://cdn.example.com?a" }), "prefix", "/path or"),
        (json!({ "prefix": "https://other.example/" }), "prefix", "no site of this pool"),
        (json!({ "prefix": "https:///a" }), "prefix", "not a host name"),
        (json!({ "prefix": "/a b" }), "prefix", "white space"),
        (json!({ "prefix": "/a#b" }), "prefix", "fragment"),
        (json!({ "prefix": deep }), "prefix", "longer than 2048"),
        (json!({ "prefix": ["/a"] }), "prefix", "must be a text"),
    ] {
        post(&desk, "/purge", &body).await.refuses(field, reason);
    }
    for (body, reason) in [
        ("", "no usable JSON"),
        ("all", "no usable JSON"),
        ("{\"all\":true", "no usable JSON"),
        ("{\"all\":true}{\"all\":true}", "no usable JSON"),
        ("{\"all\":true,\"soft\":true,\"soft\":false}", "comes twice"),
        ("7", "must be a JSON object"),
        ("{\"all\":1e999}", "no usable JSON"),
    ] {
        ask(&desk, Request::post("/purge"), body).await.refuses("body", reason);
    }
    let nested = "[".repeat(100_000);
    ask(&desk, Request::post("/purge"), nested).await.refuses("body", "recursion");
    ask(&desk, Request::post("/purge"), &b"{\"tag\":\"\xff\"}"[..]).await.refuses("body", "JSON");
    assert!(desk.sent().is_empty(), "{:#?}", desk.sent());
}

#[tokio::test]
async fn a_body_may_have_256_kibibytes() {
    let desk = Script::new();
    let padded = |bytes: usize| {
        let body = "{\"all\":true}".to_owned();
        let padding = " ".repeat(bytes - body.len());
        body + &padding
    };
    let answer = ask(&desk, Request::post("/purge"), padded((256 << 10) + 1)).await;
    assert_eq!((answer.status, &answer.body["error"]), (413, &json!("body-too-large")), "{answer}");
    assert!(desk.sent().is_empty());
    assert_eq!(ask(&desk, Request::post("/purge"), padded(256 << 10)).await.status, 200);
    assert_eq!(desk.only().target, Target::All);
}

#[tokio::test]
async fn only_what_is_complete_is_200() {
    let desk = Script::new();
    for (phase, status, location) in [
        (Phase::Complete, 200, ""),
        (Phase::Pending, 202, "/purge/x"),
        (Phase::Applying, 202, "/purge/x"),
        (Phase::Partial, 202, "/purge/x"),
        (Phase::Failed, 202, "/purge/x"),
    ] {
        desk.answers(Ok(phase));
        let answer = post(&desk, "/purge", &json!({ "all": true, "id": "x" })).await;
        assert_eq!((answer.status, answer.field("location")), (status, location), "{phase:?}");
        assert_eq!(answer.body, json!(report("x", phase)), "{phase:?}");
    }
}

#[tokio::test]
async fn what_the_desk_does_not_take_has_a_reason() {
    let desk = Script::new();
    for (why, status, error, retry) in [
        (DeskError::QueueFull, 503, "queue-full", "1"),
        (DeskError::Away("no route".to_owned()), 503, "log-away", "1"),
        (DeskError::Refused("too long".to_owned()), 502, "log-refused", ""),
        (DeskError::IdTaken, 409, "id-taken", ""),
    ] {
        desk.answers(Err(why.clone()));
        let answer = post(&desk, "/purge", &json!({ "all": true })).await;
        assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{answer}");
        assert_eq!(answer.body["reason"], why.to_string());
        assert_eq!(answer.field("retry-after"), retry);
    }
}

#[tokio::test]
async fn a_caller_says_how_long_to_wait() {
    let desk = Script::new();
    for prefer in ["wait=20", "respond-async", "handling=strict"] {
        let request = Request::post("/purge").header("prefer", prefer);
        assert_eq!(ask(&desk, request, "{\"all\":true}").await.status, 200);
    }
    assert_eq!(desk.waits(), [20, 0, 5]);
}

#[tokio::test]
async fn a_report_is_there_as_long_as_the_order_is_known() {
    let desk = Script::new();
    let now = ask(&desk, Request::get("/purge/known").header("prefer", "wait=0"), "").await;
    assert_eq!((now.status, &now.body), (200, &json!(report("known", Phase::Applying))));
    let later = ask(&desk, Request::get("/purge/known"), "").await;
    assert_eq!((later.status, &later.body["phase"]), (200, &json!("Complete")));
    for path in ["/purge/unknown", "/purge/%ff", "/purge/tag"] {
        let answer = ask(&desk, Request::get(path), "").await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not-found")), "{path}");
    }
}
