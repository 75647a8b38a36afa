//! What goes wrong is told in one line, with what to do.

use std::process::Command;

use serde_json::{Value, json};

use crate::script::{Script, run};

#[tokio::test]
async fn refusals_of_the_api() {
    let refusal =
        json!({"error": "bad-request", "field": "urls[0]", "reason": "no pool serves `x`"});
    let purge = &["purge", "url", "http://x/"][..];
    for (status, body, args, part) in [
        (400, refusal, purge, "refused, nothing was applied: urls[0]: no pool serves `x`"),
        (400, json!({"error": "bad-request"}), purge, "nothing was applied: bad-request"),
        (401, json!({"error": "unauthorized"}), purge, "does not accept this token; check --token"),
        (503, json!({"error": "queue-full"}), purge, "try again when the log is back"),
        (
            503,
            json!({"error": "draining"}),
            purge,
            "answered 503 Service Unavailable to POST /purge",
        ),
        (404, json!({"error": "not-found"}), &["status", "q"], "knows no order `q`"),
        (404, json!({"error": "not-found"}), &["ban", "lift", "q"], "there is no ban `q`"),
        (404, json!({"error": "not-found"}), &["forget", "q"], "there is no node `q`"),
        (200, json!({"hello": 1}), purge, "does not understand"),
    ] {
        let api = Script::new(&[(status, body)]).await;
        let ended = api.run(args).await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
}

#[tokio::test]
async fn something_else_answers() {
    for (status, body) in [(200, "<html>"), (404, "404 page not found"), (404, "")] {
        let api = Script::raw([(status, body.to_owned())].into()).await;
        let ended = api.run(&["status"]).await;
        assert_eq!(ended.code, 1);
        assert!(ended.err.contains("is --api an admin API of this CDN?"), "{ended:?}");
    }
}

#[tokio::test]
async fn no_token() {
    let api = Script::new(&[(401, json!({"error": "unauthorized", "reason": "missing"}))]).await;
    let ended = run(&api.url, &["status"], None, None).await;
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("wants a token; give it with --token-file"), "{ended:?}");
}

#[tokio::test]
async fn nobody_there() {
    // Bound and dropped: nobody else gets it at once.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = run(&url, &["status"], None, None).await;
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains(&format!("cannot reach {url}: connection refused")), "{ended:?}");
}

#[tokio::test]
async fn wrong_usage_asks_for_nothing() {
    let api = Script::new(&[(200, Value::Null)]).await;
    for args in [
        &[][..],
        &["purge"],
        &["purge", "url"],
        &["ban", "add"],
        &["ban", "add", "--header", "x:"],
        &["ban", "add", "--header-regex", "x"],
        &["status", "--timeout", "0s"],
        &["flush"],
        &["where"],
        &["where", "http://a/", "http://b/"],
        &["where", "http://a/", "--node"],
    ] {
        let ended = api.run(args).await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{args:?} {ended:?}");
        assert!(!ended.err.is_empty());
    }
    assert_eq!(run("https://a", &["status"], None, None).await.code, 2);
    assert_eq!(api.asked(), []);
}

#[test]
fn the_program_itself() {
    let run = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_blue-origin");
        let output = Command::new(program).args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run(&["--help"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for part in
        ["BLUE_ORIGIN_TOKEN", "--token-file", "Exit code: 0", "purge", "ban", "forget", "where"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(run(&["flush"]).0, Some(2));
    let (code, out, err) = run(&["purge", "all", "--api", "http://127.0.0.1:1"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("--yes"), "{err}");
}
