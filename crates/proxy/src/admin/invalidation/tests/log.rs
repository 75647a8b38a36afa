//! `GET /log` and `DELETE /log/nodes/{name}`.

use super::*;

#[tokio::test]
async fn the_log_shows_nodes_and_the_newest_orders() {
    let answer = ask(&Script::new(), Request::get("/log"), "").await;
    assert_eq!(answer.status, 200);
    let orders = answer.body["orders"].as_array().unwrap();
    assert_eq!((orders.len(), &orders[0]["id"]), (100, &json!("0")));
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("orders");
    let expected = json!({
        "connected": true,
        "end": "e1/7-1",
        "queued": 2,
        "nodes": [{
            "name": "fra-0",
            "role": "edge",
            "pool": "web",
            "applied": "e1/7-1",
            "silentMs": 1500,
            "onLogLoss": "revalidate",
            "leaseMs": 10_000,
        }],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_node_that_is_gone_is_forgotten() {
    let desk = Script::new();
    let answer = ask(&desk, Request::delete("/log/nodes/fra-0"), "").await;
    assert_eq!((answer.status, answer.body), (200, json!({ "forgotten": "fra-0" })));
    for path in ["/log/nodes/fra-1", "/log/nodes/%ff"] {
        let answer = ask(&desk, Request::delete(path), "").await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not-found")), "{path}");
    }
    let answer = ask(&desk, Request::delete("/log/nodes/away"), "").await;
    assert_eq!((answer.status, &answer.body["error"]), (503, &json!("log-away")));
}
