//! What there is, in words or as the API says it.

use serde_json::{Value, json};

use crate::script::{Script, report};

#[tokio::test]
async fn the_log_its_nodes_and_orders() {
    let log = json!({
        "connected": true, "end": "e/7-0", "queued": 0,
        "nodes": [
            {"name": "fra-0", "role": "edge", "pool": "main", "applied": "e/7-0", "silentMs": 900,
             "onLogLoss": "serve", "leaseMs": 10000},
            {"name": "sin-0", "role": "edge", "pool": "main",
             "applied": {"epoch": "e", "seq": "6-0"}, "silentMs": 65000,
             "onLogLoss": "revalidate", "leaseMs": 10000, "news": true},
        ],
        "orders": [report("Partial", 4, &["done", "waiting"])],
    });
    let api = Script::new(&[(200, log)]).await;
    let ended = api.run(&["status"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(
        ended.out,
        "log: connected, at e/7-0\n\
         \n\
         NODE   ROLE  POOL  APPLIED  LAST HEARD  WHEN CUT OFF\n\
         fra-0  edge  main  e/7-0    0s ago      serves on\n\
         sin-0  edge  main  e/6-0    1m5s ago    validates after 10s\n\
         \n\
         ORDER  PHASE    MATCHED  NODES\n\
         p-1    partial  4        1/2\n"
    );
    assert_eq!(api.asked()[0].what, "GET /log");
}

#[tokio::test]
async fn one_order() {
    let mut partial = report("Partial", 4, &["done", "waiting"]);
    partial["nodes"][0]["matched"] = json!(4);
    let api = Script::new(&[(200, partial)]).await;
    let ended = api.run(&["status", "p-1"]).await;
    // The question was answered, whatever the answer.
    assert_eq!(ended.code, 0);
    assert_eq!(
        ended.out,
        "partial: 4 matched, 2 nodes, 0.041 s, order p-1\n\
         position e/7-0\n\
         \n\
         NODE  STATE                             MATCHED\n\
         a     done                              4\n\
         b     waiting, may serve what is stale  -\n"
    );
}

#[tokio::test]
async fn the_bans() {
    let bans = json!({"bans": [{
        "id": "b-1", "how": "soft", "seq": "3-0", "matched": 12, "state": "active",
        "ageSeconds": 75, "expiresInSeconds": 3525,
        "ban": {"id": "b-1", "host": "a.example.com", "path": {"glob": "/x/*"}, "ttlMs": 3600000},
    }]});
    let api = Script::new(&[(200, bans.clone())]).await;
    let ended = api.run(&["ban", "list"]).await;
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (
            0,
            "ID   STATE   MATCHED  AGE    EXPIRES IN  WHAT\n\
             b-1  active  12       1m15s  58m45s      host a.example.com, path glob /x/* (soft)\n"
        )
    );
    let ended = api.run(&["ban", "list", "--output", "json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), bans);
    let ended = Script::new(&[(200, json!({"bans": []}))]).await.run(&["ban", "list"]).await;
    assert_eq!(ended.out, "no bans\n");
}

#[tokio::test]
async fn json_is_what_the_api_said_last() {
    let complete = report("Complete", 3, &["done"]);
    let api =
        Script::new(&[(202, report("Applying", 0, &["waiting"])), (200, complete.clone())]).await;
    let ended = api.run(&["--output", "json", "purge", "tag", "x"]).await;
    assert_eq!(ended.code, 0);
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), complete);
}
