//! Each command asks for what it says.

use serde_json::{Value, json};

use crate::script::{Script, report, run};

async fn asks(args: &[&str]) -> (String, Value) {
    let done = report("Complete", 0, &["done"]);
    let answer = match args.iter().find(|arg| **arg == "add") {
        Some(_) => (201, json!({"id": "b-1", "report": done})),
        None => (200, done),
    };
    let api = Script::new(&[answer]).await;
    let ended = api.run(args).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let [asked] = &api.asked()[..] else { panic!("{:?}", api.asked()) };
    assert_eq!(asked.authorization.as_deref(), Some("Bearer secret"));
    (asked.what.clone(), asked.body.clone())
}

#[tokio::test]
async fn purges() {
    for (args, body) in [
        (&["url", "http://a/", "http://b/"][..], json!({"urls": ["http://a/", "http://b/"]})),
        (&["url", "http://a/", "--soft"], json!({"urls": ["http://a/"], "soft": true})),
        (&["tag", "x", "y", "--dry-run"], json!({"tags": ["x", "y"], "dryRun": true})),
        (&["prefix", "/img/"], json!({"prefix": "/img/"})),
        (&["all", "--yes"], json!({"all": true})),
        (&["all", "--dry-run"], json!({"all": true, "dryRun": true})),
    ] {
        let args: Vec<_> = [&["purge"], args].concat();
        assert_eq!(asks(&args).await, ("POST /purge".to_owned(), body));
    }
}

#[tokio::test]
async fn bans() {
    for (args, body) in [
        (&["--path-glob", "/a/*"][..], json!({"path": {"glob": "/a/*"}, "ttl": "1h"})),
        (&["--path-prefix", "/a"], json!({"path": {"prefix": "/a"}, "ttl": "1h"})),
        (&["--path-exact", "/a"], json!({"path": {"exact": "/a"}, "ttl": "1h"})),
        (
            &["--path-regex", "^/a", "--host", "h", "--ttl", "5m", "--soft", "--dry-run"],
            json!({"path": {"regex": "^/a"}, "host": "h", "ttl": "5m", "soft": true, "dryRun": true}),
        ),
        (
            &["--header", "x", "--header", "y: a: b*", "--header-regex", "z:^1"],
            json!({"ttl": "1h", "headers": [
                {"name": "x"},
                {"name": "y", "value": {"glob": "a: b*"}},
                {"name": "z", "value": {"regex": "^1"}},
            ]}),
        ),
    ] {
        let args: Vec<_> = [&["ban", "add"], args].concat();
        assert_eq!(asks(&args).await, ("POST /ban".to_owned(), body));
    }
}

#[tokio::test]
async fn the_rest() {
    for (args, what) in [
        (&["ban", "lift", "b/1"][..], "DELETE /ban/b%2F1"),
        (&["status", "p-1"], "GET /purge/p-1"),
        (&["forget", "fra 0"], "DELETE /log/nodes/fra%200"),
    ] {
        assert_eq!(asks(args).await, (what.to_owned(), Value::Null));
    }
}

#[tokio::test]
async fn everything_is_purged_only_when_meant() {
    let api = Script::new(&[(200, report("Complete", 5, &["done"]))]).await;
    let ended = api.run(&["purge", "all"]).await;
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("say --yes"), "{ended:?}");
    for answer in ["", "n\n", "never\n"] {
        let ended = run(&api.url, &["purge", "all"], Some(answer), None).await;
        assert_eq!(ended.code, 1);
        assert!(ended.err.ends_with("[y/N] nothing was purged\n"), "{ended:?}");
    }
    assert_eq!(api.asked(), []);
    let ended = run(&api.url, &["purge", "all"], Some("y\n"), None).await;
    assert_eq!((ended.code, api.asked().len()), (0, 1), "{ended:?}");
}

#[tokio::test]
async fn the_token_of_a_file_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let path = file.to_str().unwrap();
    let api = Script::new(&[(200, json!({"bans": []}))]).await;
    let args = ["ban", "list", "--token-file", path];
    let ended = api.run(&args).await;
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("cannot read"), "{ended:?}");
    std::fs::write(&file, "\n").unwrap();
    assert!(api.run(&args).await.err.contains("is empty"));
    std::fs::write(&file, "of the file\n").unwrap();
    assert_eq!(api.run(&args).await.code, 0);
    let [asked] = &api.asked()[..] else { panic!("{:?}", api.asked()) };
    assert_eq!(asked.authorization.as_deref(), Some("Bearer of the file"));
}
