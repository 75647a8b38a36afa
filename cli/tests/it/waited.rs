//! Completion is waited for, and the exit code says whether it came.

use serde_json::json;

use crate::script::{Script, report};

const PURGE: &[&str] = &["purge", "tag", "x"];

#[tokio::test]
async fn until_every_node_is_done() {
    let api = Script::new(&[
        (202, report("Pending", 0, &[])),
        (200, report("Applying", 0, &["waiting", "waiting"])),
        (200, report("Applying", 1, &["done", "waiting"])),
        (200, report("Complete", 3, &["done", "done"])),
    ])
    .await;
    let ended = api.run(PURGE).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.out, "complete: 3 matched, 2 nodes, 0.041 s, order p-1\n");
    assert_eq!(
        ended.err,
        "pending: 0 of 0 nodes\napplying: 0 of 2 nodes, waiting for a, b\na: done\n\
         complete: 2 of 2 nodes\nb: done\n"
    );
    let asked = api.asked();
    let whats: Vec<_> = asked.iter().map(|asked| asked.what.as_str()).collect();
    assert_eq!(whats, ["POST /purge", "GET /purge/p-1", "GET /purge/p-1", "GET /purge/p-1"]);
    assert!(asked.iter().all(|asked| asked.prefer.as_deref() == Some("wait=1")), "{asked:?}");
}

#[tokio::test]
async fn nodes_that_are_missing_are_named() {
    let states = ["done", "waiting", "revalidating", "waiting"];
    let api = Script::new(&[(202, report("Partial", 1, &states))]).await;
    let ended = api.run(PURGE).await;
    assert_eq!(ended.code, 1);
    assert!(ended.out.starts_with("partial: 1 matched, 4 nodes"), "{ended:?}");
    let last = ended.err.lines().last().unwrap();
    assert!(last.starts_with("partial: b, d may serve what is stale"), "{ended:?}");
    assert!(last.contains("blue-origin status p-1") && last.contains("forget"), "{ended:?}");
}

#[tokio::test]
async fn nodes_that_cannot_are_named_with_their_reason() {
    let mut failed = report("Failed", 0, &["done", "failed"]);
    failed["nodes"][1]["error"] = json!("the pattern is too costly");
    let ended = Script::new(&[(200, failed)]).await.run(PURGE).await;
    assert_eq!(ended.code, 1);
    let last = ended.err.lines().last().unwrap();
    assert!(last.starts_with("failed: b could not apply it (the pattern is too costly)"), "{last}");
}

#[tokio::test]
async fn not_for_ever() {
    for (replicated, part) in [(true, "waiting for b"), (false, "the log is away")] {
        let mut applying = report("Applying", 0, &["done", "waiting"]);
        applying["replicated"] = json!(replicated);
        let api = Script::new(&[(202, applying)]).await;
        let ended = api.run(&["purge", "tag", "x", "--timeout", "400ms"]).await;
        assert_eq!(ended.code, 1);
        let last = ended.err.lines().last().unwrap();
        assert!(last.starts_with("not complete after 1 s") && last.contains(part), "{last}");
        // However fast the API answers, it is not asked all the time.
        assert!((2..=6).contains(&api.asked().len()), "{}", api.asked().len());
    }
}

#[tokio::test]
async fn not_at_all_if_told_so() {
    for args in [&["purge", "tag", "x", "--no-wait"][..], &["ban", "lift", "b", "--no-wait"]] {
        let api = Script::new(&[(202, report("Pending", 0, &[]))]).await;
        let ended = api.run(args).await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        assert!(ended.out.ends_with("order p-1\n"), "{ended:?}");
        let [asked] = &api.asked()[..] else { panic!("{:?}", api.asked()) };
        assert_eq!(asked.prefer.as_deref(), Some("respond-async"));
    }
}

#[tokio::test]
async fn counts_that_come_later_are_waited_for() {
    let mut counting = report("Complete", 1, &["done", "done"]);
    counting["counting"] = json!(true);
    let counted = report("Complete", 9, &["done", "done"]);
    let ended = Script::new(&[(200, counting.clone()), (200, counted)]).await.run(PURGE).await;
    assert_eq!(
        (ended.code, ended.out.starts_with("complete: 9 matched, ")),
        (0, true),
        "{ended:?}"
    );
    // But the purge is complete, whether they come or not.
    let args = ["purge", "tag", "x", "--timeout", "300ms"];
    let ended = Script::new(&[(200, counting)]).await.run(&args).await;
    assert_eq!(ended.code, 0);
    assert!(ended.out.starts_with("complete: 1 matched so far, "), "{ended:?}");
}

#[tokio::test]
async fn an_api_that_stumbles_is_asked_again() {
    let api = Script::new(&[
        (202, report("Applying", 0, &["waiting"])),
        (500, json!({"error": "internal"})),
        (200, report("Complete", 0, &["done"])),
    ])
    .await;
    let ended = api.run(PURGE).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("500") && ended.err.contains("trying again"), "{ended:?}");
}

#[tokio::test]
async fn an_order_that_is_lost_sight_of_is_named() {
    let api =
        Script::new(&[(202, report("Applying", 0, &["waiting"])), (404, json!({"error": "gone"}))])
            .await;
    let ended = api.run(PURGE).await;
    assert_eq!(ended.code, 1);
    let last = ended.err.lines().last().unwrap();
    assert!(last.starts_with("order p-1 was accepted, but then: "), "{last}");
}

#[tokio::test]
async fn a_ban_tells_its_id_before_it_waits() {
    let added = json!({"id": "b-1", "report": report("Applying", 0, &["waiting"])});
    let api = Script::new(&[(201, added.clone()), (200, report("Complete", 0, &["done"]))]).await;
    let ended = api.run(&["ban", "add", "--path-glob", "/a"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.starts_with("ban b-1\ncomplete: "), "{ended:?}");
    let api = Script::new(&[(201, added), (200, report("Complete", 0, &["done"]))]).await;
    let ended = api.run(&["ban", "add", "--path-glob", "/a", "--output", "json"]).await;
    let out: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&out["id"], &out["report"]["phase"]), (&json!("b-1"), &json!("Complete")));
}
