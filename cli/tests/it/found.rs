//! Where a URL is, as one node sees it, or several.

use serde_json::{Value, json};

use crate::script::Script;

const URL: &str = "https://cdn.example.com/a?b";

fn upstream(name: &str) -> Value {
    json!({
        "name": name, "usable": true, "up": true, "health": "probes", "sinceSeconds": 75.5,
        "breaker": "closed", "trippedBy": null, "opensAgainInSeconds": 0.0, "limit": 64,
        "inFlight": 3, "waiting": 1,
    })
}

fn hop(from: &str, tier: &str, to: &str, why: &str, upstream: Value) -> Value {
    json!({ "from": from, "tier": tier, "to": to, "why": why, "upstream": upstream, "news": 1 })
}

/// Of a node that asks a peer, whose owner of the shield is down and whose origin's breaker is open.
fn seen() -> Value {
    let mut broken = upstream("origin.example");
    broken["breaker"] = json!("open");
    broken["trippedBy"] = json!("failure-ratio");
    broken["opensAgainInSeconds"] = json!(2.2);
    broken["up"] = json!(false);
    broken["health"] = json!("traffic");
    let mut peer = hop("fra-0", "peer", "fra-1", "owner", upstream("10.0.0.2:8081"));
    peer["next"] = json!(["fra-0"]);
    peer["ring"] = json!("pop/main/fra");
    let mut shield = hop("fra-1", "shield", "shield-1", "owner-down", upstream("10.0.1.2:8081"));
    shield["ring"] = json!("shield/main");
    json!({
        "node": "fra-0", "pool": "main", "tier": "edge", "peering": "peer", "fleet": "f1",
        "ownRing": "pop/main/fra",
        "key": {
            "url": URL, "key": "https://cdn.example.com/a?b", "hash": "0f", "site": "www",
            "shield": "shield/main", "alsoKeyedBy": [],
        },
        "way": [peer, shield, hop("shield-1", "origin", "origin.example", "behind-shield", broken)],
        "origins": [],
        "rings": [
            {
                "name": "pop/main/fra", "digest": "00ff", "points": 2048, "owner": "fra-1",
                "pick": "fra-1", "reason": "owner", "successors": ["fra-1", "fra-0"],
                "members": [
                    { "name": "fra-0", "url": "http://10.0.0.1:8081", "weight": 100,
                      "share": 0.4321, "here": true, "standing": "serves", "health": "untried",
                      "inFlight": 0, "ramp": null },
                    { "name": "fra-1", "url": "http://10.0.0.2:8081", "weight": 100,
                      "share": 0.5679, "here": false, "standing": "warming", "health": "probes",
                      "inFlight": 7, "ramp": 0.25 },
                    { "name": "fra-2", "url": "http://10.0.0.3:8081", "weight": 0,
                      "share": 0.0, "here": false, "standing": "down", "health": "connect",
                      "inFlight": 0, "ramp": null },
                ],
            },
            {
                "name": "shield/other", "digest": "00ff", "points": 0, "owner": null,
                "pick": null, "reason": null, "successors": [], "members": [],
            },
        ],
    })
}

fn one() -> Value {
    json!({ "nodes": [{ "name": "fra-0", "pool": "main", "tier": "edge", "path": "" }] })
}

fn entry(variants: Value) -> Value {
    json!({ "key": "k", "fills": 1, "waiting": 2, "hitForMissSeconds": null, "variants": variants })
}

fn variant(ttl: i64) -> Value {
    json!({
        "vary": ["x-kind"], "status": 200, "ageSeconds": 10, "ttlSeconds": ttl, "bodyBytes": 5,
        "hits": 3, "filling": false,
    })
}

fn not_stored() -> (u16, Value) {
    (404, json!({ "error": "not-stored", "key": "k" }))
}

#[tokio::test]
async fn one_node_in_full() {
    let stored = entry(json!([variant(50)]));
    let api = Script::new(&[(200, one()), (200, seen()), (200, stored)]).await;
    let ended = api.run(&["where", URL]).await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    let expected = "\
node    fra-0, edge of main, fleet f1
site    www
key     https://cdn.example.com/a?b
stored  200, 5 bytes, fresh for 50s, 10s old
        1 fill under way, 2 waiting

the way of a request that is not answered from the store
FROM      TIER    TO                         WHY            HEALTH                    BREAKER                            IN FLIGHT  WAITING  ELSE
fra-0     peer    fra-1 at 10.0.0.2:8081     owner          up (probes) for 1m15s     closed                             3 of 64    1        fra-0
fra-1     shield  shield-1 at 10.0.1.2:8081  owner-down     up (probes) for 1m15s     closed                             3 of 64    1
shield-1  origin  origin.example             behind-shield  down (traffic) for 1m15s  open (failure-ratio), again in 3s  3 of 64    1

ring pop/main/fra: asked is fra-1 (owner); 3 members, digest 00ff
TURN   MEMBER  SHARE   WEIGHT  STANDING          TAKEN OVER  IN FLIGHT  URL
owner  fra-1   56.8 %  100     warming (probes)  25.0 %      7          http://10.0.0.2:8081
1      fra-0   43.2 %  100     serves (itself)   -           0          http://10.0.0.1:8081
-      fra-2   0.0 %   0       down (connect)    -           0          http://10.0.0.3:8081
";
    assert_eq!(ended.out, expected, "\n{}", ended.out);
    let asked: Vec<_> = api.asked().into_iter().map(|asked| asked.what).collect();
    let url = "https:%2F%2Fcdn.example.com%2Fa%3Fb";
    assert_eq!(
        asked,
        [
            "GET /debug/nodes".to_owned(),
            format!("GET /debug/ring?key={url}"),
            format!("GET /debug/entry?url={url}"),
        ]
    );
}

#[tokio::test]
async fn what_is_stored_in_words() {
    let with = |mut of: Value, field: &str, value: Value| {
        of[field] = value;
        of
    };
    let none = entry(json!([]));
    let idle = with(none.clone(), "fills", json!(0));
    let filling = json!([with(variant(50), "filling", json!(true))]);
    for (answer, part) in [
        (not_stored(), "stored  no\n"),
        ((200, none), "stored  no, being fetched\n"),
        ((200, idle.clone()), "stored  no\n"),
        (
            (200, with(idle, "hitForMissSeconds", json!(90))),
            "stored  no, not cacheable; asked again in 1m30s\n",
        ),
        ((200, entry(json!([variant(-61)]))), "stored  200, 5 bytes, stale since 1m1s, 10s old\n"),
        ((200, entry(filling)), "stored  200, being fetched, fresh for 50s, 10s old\n"),
        (
            (200, entry(json!([variant(50), variant(-5)]))),
            "variants\n\
             STATUS  BODY     FRESHNESS       AGE  HITS  VARIES BY\n\
             200     5 bytes  fresh for 50s   10s  3     x-kind\n\
             200     5 bytes  stale since 5s  10s  3     x-kind\n",
        ),
    ] {
        let api = Script::new(&[(200, one()), (200, seen()), answer]).await;
        let ended = api.run(&["where", URL]).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.out.contains(part), "{part}: {ended:?}");
    }
}

#[tokio::test]
async fn several_origins_and_what_a_key_takes_in() {
    let mut seen = seen();
    let origin = |name: &str, role: &str, priority: u32| json!({ "role": role, "priority": priority, "weight": 100, "upstream": upstream(name) });
    seen["origins"] = json!([origin("a.example", "first", 0), origin("b.example", "next", 1)]);
    seen["key"]["alsoKeyedBy"] = json!(["header x-kind", "cookie shop"]);
    let api = Script::new(&[(200, one()), (200, seen), not_stored()]).await;
    let ended = api.run(&["where", URL]).await;
    for part in [
        "        of a request without: header x-kind, cookie shop, which are part of it\n",
        "\norigins\nORIGIN     TURN   PRIORITY  WEIGHT",
        "a.example  first  0         100     up (probes) for 1m15s  closed   3 of 64    1\n",
        "b.example  next   1         100     up (probes) for 1m15s  closed   3 of 64    1\n",
    ] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
}

fn three() -> Value {
    let node = |name: &str| json!({ "name": name, "path": format!("/edges/{name}") });
    json!({ "nodes": [node("fra-0"), node("fra-1"), node("b-0")] })
}

fn refused() -> (u16, Value) {
    let reason = "no site of this pool serves that host";
    (400, json!({ "error": "bad-request", "field": "key", "reason": reason }))
}

#[tokio::test]
async fn several_nodes_have_a_line_each() {
    let stored = entry(json!([variant(50)]));
    let answers =
        [(200, three()), (200, seen()), (200, stored), (200, seen()), not_stored(), refused()];
    let api = Script::new(&answers).await;
    let ended = api.run(&["where", URL]).await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    let expected = "\
NODE   POOL  STORED                                WAY
fra-0  main  200, 5 bytes, fresh for 50s, 10s old  peer fra-1 (owner) > shield shield-1 (owner-down) > origin origin.example (behind-shield, down)
fra-1  main  no                                    peer fra-1 (owner) > shield shield-1 (owner-down) > origin origin.example (behind-shield, down)

b-0: no site of this pool serves that host

Who owns it and how everybody is, as one node sees it: --node NAME
";
    assert_eq!(ended.out, expected, "\n{}", ended.out);
    let asked = &api.asked()[3].what;
    assert!(asked.starts_with("GET /edges/fra-1/debug/ring?key="), "{asked}");
}

#[tokio::test]
async fn one_of_several_can_be_named() {
    let api = Script::new(&[(200, three()), (200, seen()), not_stored()]).await;
    let ended = api.run(&["where", URL, "--node", "fra-1"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("ring pop/main/fra: asked is fra-1 (owner)"), "{ended:?}");
    assert_eq!(api.asked().len(), 3);
    let ended = Script::new(&[(200, three())]).await.run(&["where", URL, "--node", "x"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("there is no node `x` behind http://127.0.0.1:"), "{ended:?}");
    assert!(ended.err.contains("there is fra-0, fra-1, b-0"), "{ended:?}");
}

#[tokio::test]
async fn json_has_the_answers_of_the_api() {
    for form in [&["--json"][..], &["--output", "json"]] {
        let api = Script::new(&[(200, one()), (200, seen()), not_stored()]).await;
        let ended = api.run(&[&["where", URL], form].concat()).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(
            serde_json::from_str::<Value>(&ended.out).unwrap(),
            json!({
                "url": URL,
                "nodes": [{ "name": "fra-0", "ring": seen(), "entry": null }],
                "refused": [],
            })
        );
    }
}

#[tokio::test]
async fn what_no_node_can_say() {
    let odd = json!({ "nodes": [{ "name": "x", "path": "@elsewhere.example" }] });
    for (answers, part) in [
        (
            &[(200, one()), refused()][..],
            "https://cdn.example.com/a?b: no site of this pool serves",
        ),
        (&[(200, json!({ "nodes": [] }))], "https://cdn.example.com/a?b: no node runs behind"),
        (&[(404, json!({ "error": "not-found" }))], "the API has no /debug/nodes: it is not that"),
        (
            &[(200, one()), (404, json!({ "error": "not-found" }))],
            "the API has no /debug/ring: it is not that of a node, or an older one",
        ),
        (&[(401, json!({ "error": "unauthorized" }))], "does not accept this token"),
        (&[(200, one()), (200, json!({ "node": "fra-0" }))], "does not understand"),
        (&[(200, one()), (200, seen()), (500, json!({}))], "answered 500"),
        (&[(200, odd)], "is --api an admin API of this CDN?"),
    ] {
        let ended = Script::new(answers).await.run(&["where", URL]).await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
}

#[tokio::test]
async fn names_cannot_lead_a_terminal_astray() {
    let mut seen = seen();
    seen["key"]["site"] = json!("w\u{1b}[31mww");
    seen["rings"][0]["pick"] = json!("fra\u{7}-1");
    let api = Script::new(&[(200, one()), (200, seen), not_stored()]).await;
    let ended = api.run(&["where", URL]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.chars().all(|c| c == '\n' || !c.is_control()), "{ended:?}");
}
