//! The method PURGE.

use wire::invalidation::Url;

use super::*;

fn purge(target: &str) -> axum::http::request::Builder {
    Request::builder().method("PURGE").uri(target)
}

fn to_site(target: &str) -> axum::http::request::Builder {
    purge(target).header("host", "cdn.example.com")
}

#[tokio::test]
async fn it_is_about_the_url_that_it_is_sent_to() {
    for (request, path) in [
        (to_site("/"), "/"),
        (to_site("/a?b=1&c"), "/a?b=1&c"),
        (to_site("/x/../%7ea"), "/~a"),
        // Whatever path a site may have, the API's own among them.
        (to_site("/ban"), "/ban"),
        (to_site("/purge/tag"), "/purge/tag"),
        (to_site("/debug/config"), "/debug/config"),
        (purge("/a").header("host", "127.0.0.1:8401"), "/a"),
        (purge("http://cdn.example.com/a").header("host", "other.example"), "/a"),
    ] {
        let desk = Script::new();
        let answer = ask(&desk, request, "ignored").await;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        let order = desk.only();
        let url = Url { host: "cdn.example.com".to_owned(), path: path.to_owned() };
        assert_eq!((order.target, order.how), (Target::Urls(vec![url]), How::Hard));
        assert_eq!(answer.body["matched"], 3);
    }
}

#[tokio::test]
async fn it_is_about_a_tag_under_a_path_of_its_own() {
    for (target, tag) in [
        ("/purge/tag/one", "one"),
        ("/purge/tag/a%2Fb/c", "a/b/c"),
        ("/purge/tag/a%3fb%25", "a?b%"),
        ("/purge/tag/%C3%BC+", "ü+"),
    ] {
        let desk = Script::new();
        // A tag is no site's, so no host is needed.
        let answer = ask(&desk, purge(target), "").await;
        assert_eq!(answer.status, 200, "{target}: {answer}");
        assert_eq!(desk.only().target, Target::Tags(vec![tag.to_owned()]));
    }
}

#[tokio::test]
async fn it_may_be_soft_and_wait() {
    let desk = Script::new();
    for (name, value) in [("soft-purge", "1"), ("fastly-soft-purge", "1"), ("soft-purge", "0")] {
        ask(&desk, to_site("/a").header(name, value).header("prefer", "wait=3"), "").await;
    }
    ask(&desk, purge("/purge/tag/one").header("soft-purge", "1"), "").await;
    let how: Vec<_> = desk.sent().iter().map(|order| order.how).collect();
    assert_eq!(how, [How::Soft, How::Soft, How::Hard, How::Soft]);
    assert_eq!(desk.waits(), [3, 3, 3, 5]);
    desk.answers(Ok(Phase::Applying));
    assert_eq!(ask(&desk, to_site("/a"), "").await.status, 202);
}

#[tokio::test]
async fn what_it_cannot_mean_is_refused_and_reaches_nobody() {
    let desk = Script::new();
    for (request, field, reason) in [
        (purge("/a"), "Host", "must be there once"),
        (to_site("/a").header("host", "cdn.example.com"), "Host", "must be there once"),
        (purge("/a").header("host", "other.example"), "Host", "no site of this pool serves"),
        (purge("/a").header("host", "a b"), "Host", "not a host name"),
        (purge("/a").header("host", &b"caf\xe9"[..]), "Host", "not a host name"),
        (to_site("*"), "path", "must begin with /"),
        (to_site("/a").header("soft-purge", "yes"), "soft-purge", "1 or 0"),
        (to_site("/a").header("fastly-soft-purge", ""), "fastly-soft-purge", "1 or 0"),
        (to_site("/purge/tag/"), "tag", "is empty"),
        (to_site("/purge/tag/a%20b"), "tag", "white space"),
        (to_site("/purge/tag/a%2"), "tag", "percent-encoded UTF-8"),
        (to_site("/purge/tag/a%+1"), "tag", "percent-encoded UTF-8"),
        (to_site("/purge/tag/%ff"), "tag", "percent-encoded UTF-8"),
        (to_site("/purge/tag/a?b"), "tag", "%3F"),
    ] {
        ask(&desk, request, "").await.refuses(field, reason);
    }
    assert!(desk.sent().is_empty(), "{:#?}", desk.sent());
}
