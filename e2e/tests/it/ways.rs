//! The debug API of the ways upstream: who owns a URL, where it goes from a node, and why (O3).

use e2e::client::{Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN, World};
use proxy::admin::debug;
use proxy::metrics::ProxyMetrics;
use proxy::{Config, Node};
use runtime::admin::Admin;
use runtime::metrics::Metrics;
use runtime::token::{Token, Tokens};
use runtime::{Clock, Drain, Readiness};
use serde_json::{Value, json};
use upstream::HashRing;
use upstream::ring::hash_key;
use wire::Fleet;
use wire::fleet::Member;
use wire::snapshot::Tier;

use crate::admin::{admin, read};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

fn member(name: &str, url: &str) -> Member {
    Member { name: name.into(), url: url.into(), weight: 100, pop: None, public: None }
}

fn fleet(rings: &[(&str, &[Member])]) -> Fleet {
    let ring = |members: &[Member]| wire::fleet::Ring { members: members.to_vec() };
    Fleet {
        format: wire::fleet::FORMAT,
        version: "f1".into(),
        rings: rings.iter().map(|(name, members)| ((*name).into(), ring(members))).collect(),
    }
}

/// One edge of the place `lab` in mode `peer` or not, whose site comes through `shield/main` or not.
async fn edge(origin: &Origin, peering: &str, shield: bool) -> World {
    // Started alone, so that the fleet that a test gives it is its first.
    let world = Setup::new(origin).start().await.unwrap();
    let setup = Setup::new(origin).spec(json!({ "peering": { "mode": peering } }));
    let mut pools = setup.pools().unwrap();
    let site = &mut pools[0].snapshot.sites[0];
    site.shield = shield.then(|| "shield/main".into());
    // As the manifest has them.
    world.node.reload(Config::new(pools.remove(0).snapshot, &[]).unwrap());
    world.node.stand_in("lab");
    world
}

/// A path whose key this member of the ring owns.
fn path_of(owner: &str, members: &[Member]) -> String {
    let ring = HashRing::new(members);
    let owns = |path: &String| {
        let key = format!("http://cdn.example.com{path}");
        ring.owner(hash_key(key.as_bytes())).map(|at| &*ring.members()[at].name) == Some(owner)
    };
    (0..10_000).map(|number| format!("/{number}")).find(owns).unwrap()
}

async fn seen(world: &World, path: &str) -> Value {
    read(world, &format!("/edges/lab-0/debug/ring?key=http://cdn.example.com{path}")).await
}

/// The steps as `from tier to why`.
fn steps(seen: &Value) -> Vec<String> {
    let text = |hop: &Value| {
        ["from", "tier", "to", "why"].map(|field| hop[field].as_str().unwrap().to_owned()).join(" ")
    };
    seen["way"].as_array().unwrap().iter().map(text).collect()
}

fn ring<'a>(seen: &'a Value, name: &str) -> &'a Value {
    seen["rings"].as_array().unwrap().iter().find(|ring| ring["name"] == name).unwrap()
}

fn authority(origin: &Origin) -> String {
    origin.url().trim_start_matches("http://").to_owned()
}

#[tokio::test]
async fn a_url_goes_from_peer_to_shield_to_origin() {
    let origin = Origin::start().await.unwrap();
    let world = edge(&origin, "Peer", true).await;
    let edges = [member("lab-0", NOBODY), member("lab-1", "http://127.0.0.1:2")];
    let shields = [member("shield-0", NOBODY)];
    let rings = [("pop/e2e/lab", &edges[..]), ("shield/main", &shields)];
    world.node.set_fleet(fleet(&rings)).unwrap();

    let path = path_of("lab-1", &edges);
    let others = seen(&world, &path).await;
    let at = authority(&origin);
    assert_eq!(
        steps(&others),
        [
            "lab-0 peer lab-1 owner".to_owned(),
            "lab-1 shield shield-0 owner".to_owned(),
            format!("shield-0 origin {at} behind-shield"),
        ],
        "{others:#}"
    );
    let key = format!("http://cdn.example.com{path}");
    assert_eq!(others["key"]["key"], key, "{others:#}");
    assert_eq!(others["key"]["hash"], format!("{:016x}", hash_key(key.as_bytes())));
    assert_eq!(others["key"]["shield"], "shield/main");
    assert_eq!((&others["fleet"], &others["peering"]), (&json!("f1"), &json!("peer")));
    assert_eq!(others["way"][0]["upstream"]["name"], "127.0.0.1:2");
    assert_eq!(others["way"][0]["upstream"]["up"], true);
    // If the owner cannot be reached, the node does it itself.
    assert_eq!(others["way"][0]["next"], json!(["lab-0"]));
    let peers = ring(&others, "pop/e2e/lab");
    assert_eq!((&peers["owner"], &peers["reason"]), (&json!("lab-1"), &json!("owner")));
    assert_eq!(peers["successors"], json!(["lab-1", "lab-0"]));
    assert_eq!(peers["digest"], format!("{:016x}", HashRing::new(&edges).digest()));
    let members = peers["members"].as_array().unwrap();
    let shares: f64 = members.iter().map(|member| member["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{peers:#}");
    assert_eq!((&members[0]["here"], &members[1]["here"]), (&json!(true), &json!(false)));

    // What it owns itself it gets from the owner before it, as long as it is new.
    let own = path_of("lab-0", &edges);
    let its = seen(&world, &own).await;
    let rest =
        ["lab-0 shield shield-0 owner".to_owned(), format!("shield-0 origin {at} behind-shield")];
    let new = ["lab-0 peer lab-0 owner", "lab-0 previous-owner lab-1 newcomer"];
    assert_eq!(steps(&its), [&new.map(str::to_owned)[..], &rest].concat(), "{its:#}");
    assert_eq!((&its["way"][0]["here"], &its["way"][0]["upstream"]), (&json!(true), &Value::Null));
    world.pass_seconds(3600);
    let settled = seen(&world, &own).await;
    assert_eq!(steps(&settled), [&[new[0].to_owned()][..], &rest].concat());
}

#[tokio::test]
async fn without_shield_or_peers_it_goes_to_the_origin() {
    let origin = Origin::start().await.unwrap();
    let edges = [member("lab-0", NOBODY), member("lab-1", NOBODY)];
    let path = path_of("lab-1", &edges);
    let at = authority(&origin);
    for (shield, why) in [(false, "no-shield"), (true, "shield-unknown")] {
        let world = edge(&origin, "Independent", shield).await;
        world.node.set_fleet(fleet(&[("pop/e2e/lab", &edges)])).unwrap();
        let direct = format!("lab-0 origin {at} {why}");
        let new = seen(&world, &path).await;
        // Others may have what a newcomer has not, whoever owns it.
        let first = "lab-0 previous-owner lab-1 newcomer";
        assert_eq!(steps(&new), [first, &*direct], "{new:#}");
        world.pass_seconds(3600);
        assert_eq!(steps(&seen(&world, &path).await), [direct]);
    }
}

#[tokio::test]
async fn who_is_down_is_passed_over_and_the_reason_told() {
    let origin = Origin::start().await.unwrap();
    origin.always("*", Reply::ok("a").field("cache-control", "no-store"));
    let world = edge(&origin, "Independent", true).await;
    // The origin plays the shield that is well.
    let shields = [member("shield-0", NOBODY), member("shield-1", &origin.url())];
    world.node.set_fleet(fleet(&[("shield/main", &shields)])).unwrap();
    let path = path_of("shield-0", &shields);
    let at = authority(&origin);
    let before = seen(&world, &path).await;
    assert_eq!(steps(&before)[0], "lab-0 shield shield-0 owner", "{before:#}");
    assert_eq!(before["way"][0]["next"], json!(["shield-1"]));
    for _ in 0..2 {
        world.ask(&*path).await.expect_status(200);
    }
    let down = seen(&world, &path).await;
    let now =
        ["lab-0 shield shield-1 owner-down".into(), format!("shield-1 origin {at} behind-shield")];
    assert_eq!(steps(&down), now, "{down:#}");
    let shown = ring(&down, "shield/main");
    assert_eq!((&shown["owner"], &shown["pick"]), (&json!("shield-0"), &json!("shield-1")));
    let members = &shown["members"];
    assert_eq!(
        (&members[0]["standing"], &members[0]["health"], &members[1]["standing"]),
        (&json!("down"), &json!("connect"), &json!("serves"))
    );
    let upstreams = read(&world, "/edges/lab-0/debug/upstreams").await;
    let dead = upstreams["upstreams"].as_array().unwrap().iter().find(|u| u["up"] == false);
    let dead = dead.unwrap();
    assert_eq!((&dead["name"], &dead["usable"]), (&json!("127.0.0.1:1"), &json!(false)));
    assert_eq!((&dead["health"], &dead["failed"]), (&json!("connect"), &json!(2)), "{dead:#}");
    let as_who = json!([{ "ring": "shield/main", "name": "shield-0", "here": false }]);
    assert_eq!((&dead["members"], &dead["sites"]), (&as_who, &json!([])));
}

#[tokio::test]
async fn when_nobody_of_the_shield_is_left_it_says_so() {
    let origin = Origin::start().await.unwrap();
    origin.always("*", Reply::ok("a").field("cache-control", "no-store"));
    let world = edge(&origin, "Independent", true).await;
    let shields = [member("shield-0", NOBODY), member("shield-1", "http://127.0.0.1:2")];
    world.node.set_fleet(fleet(&[("shield/main", &shields)])).unwrap();
    for _ in 0..2 {
        world.ask("/a").await.expect_status(200);
    }
    let seen = seen(&world, "/a").await;
    assert_eq!(steps(&seen), [format!("lab-0 origin {} shield-down", authority(&origin))]);
    assert_eq!(ring(&seen, "shield/main")["pick"], Value::Null, "{seen:#}");
    let upstreams = read(&world, "/edges/lab-0/debug/upstreams").await;
    let upstreams = upstreams["upstreams"].as_array().unwrap();
    let origin = upstreams.iter().find(|u| u["sites"] != json!([])).unwrap();
    assert_eq!((&origin["sent"], &origin["succeeded"]), (&json!(2), &json!(2)), "{origin:#}");
}

#[tokio::test]
async fn a_newcomer_takes_over_bit_by_bit() {
    let origin = Origin::start().await.unwrap();
    let world = edge(&origin, "Independent", true).await;
    let shields = [member("shield-0", NOBODY), member("shield-1", "http://127.0.0.1:2")];
    world.node.set_fleet(fleet(&[("shield/main", &shields[..1])])).unwrap();
    world.node.set_fleet(fleet(&[("shield/main", &shields)])).unwrap();
    let path = path_of("shield-1", &shields);
    let first = seen(&world, &path).await;
    assert_eq!(steps(&first)[0], "lab-0 shield shield-0 owner-warming", "{first:#}");
    let newcomer = &ring(&first, "shield/main")["members"][1];
    assert_eq!((&newcomer["standing"], &newcomer["ramp"]), (&json!("warming"), &json!(0.0)));
    world.pass_seconds(15);
    let rings = read(&world, "/edges/lab-0/debug/ring").await;
    let members = &ring(&rings, "shield/main")["members"];
    assert_eq!(members[1]["standing"], "warming", "{rings:#}");
    assert!((members[1]["ramp"].as_f64().unwrap() - 0.5).abs() < 0.01, "{rings:#}");
    assert_eq!((&members[0]["standing"], &members[0]["ramp"]), (&json!("serves"), &Value::Null));
    // Nothing was asked about any URL.
    assert!(rings.get("way").is_none() && rings.get("key").is_none(), "{rings:#}");
    world.pass_seconds(15);
    assert_eq!(steps(&seen(&world, &path).await)[0], "lab-0 shield shield-1 owner");
}

#[tokio::test]
async fn several_origins_have_turns() {
    let origin = Origin::start().await.unwrap();
    let other = Origin::start().await.unwrap();
    let site = json!({ "origins": [
        { "url": origin.url(), "weight": 100 },
        { "url": other.url(), "weight": 300 },
        { "url": NOBODY, "priority": 1 },
    ] });
    let setup = Setup::new(&origin).site(site);
    let world = setup.start().await.unwrap();
    let config = Config::new(setup.pools().unwrap().remove(0).snapshot, &[]).unwrap();
    world.node.reload(config);
    let seen = seen(&world, "/a").await;
    let roles: Vec<_> =
        seen["origins"].as_array().unwrap().iter().map(|o| (&o["role"], &o["weight"])).collect();
    let (first, next) = (json!("first"), json!("next"));
    assert_eq!(
        roles,
        [(&first, &json!(100)), (&first, &json!(300)), (&next, &json!(100))],
        "{seen:#}"
    );
    assert_eq!(steps(&seen), [format!("lab-0 origin {} no-shield", authority(&other))]);
}

#[tokio::test]
async fn a_breaker_that_opened_says_why() {
    let origin = Origin::start().await.unwrap();
    origin.always("*", Reply::status(500).field("cache-control", "no-store"));
    let careful = json!({ "breaker": { "consecutiveFailures": 2, "openFor": "30s" } });
    let world = Setup::new(&origin).site(careful).start().await.unwrap();
    for _ in 0..2 {
        world.ask("/a").await.expect_status(500);
    }
    let seen = seen(&world, "/a").await;
    let upstream = &seen["way"][0]["upstream"];
    assert_eq!((&upstream["usable"], &upstream["breaker"]), (&json!(false), &json!("open")));
    assert_eq!(upstream["trippedBy"], "consecutive-failures", "{seen:#}");
    let again = upstream["opensAgainInSeconds"].as_f64().unwrap();
    assert!(again > 1.0 && again <= 30.0, "{again}");
    // There is no other, so it is still the first.
    assert_eq!(seen["origins"][0]["role"], "first", "{seen:#}");
    let upstreams = read(&world, "/edges/lab-0/debug/upstreams").await;
    let known = &upstreams["upstreams"][0];
    assert_eq!((&known["breaker"], &known["sites"]), (&json!("open"), &json!(["cdn.example.com"])));
}

#[tokio::test]
async fn a_shield_asks_the_origin() {
    let origin = Origin::start().await.unwrap();
    let mut snapshot = Setup::new(&origin).pools().unwrap().remove(0).snapshot;
    snapshot.tier = Tier::Shield;
    let config = Config::new(snapshot, &[]).unwrap();
    let metrics = Metrics::default();
    let (counts, drain) = (ProxyMetrics::new(&metrics).unwrap(), Drain::new());
    let node = Node::new("shield-0", config, Clock::system(), counts, drain.clone());
    let shields = [member("shield-0", NOBODY), member("shield-1", "http://127.0.0.1:2")];
    node.set_fleet(fleet(&[("shield/e2e", &shields)])).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (metrics, ready) = (metrics.into(), Readiness::default());
    let admin =
        Admin { metrics, ready, drain: drain.clone(), token: Token::new(TOKEN).map(Tokens::from) };
    tokio::spawn(runtime::admin::serve(listener, admin.router(debug::router(node)), drain));
    let path = path_of("shield-1", &shields);
    let asking = format!("/debug/ring?key=http://cdn.example.com{path}");
    let asking = Request::get(&asking).field("authorization", &format!("Bearer {TOKEN}"));
    let answer = ask(address, asking).await.unwrap();
    let seen: Value = serde_json::from_slice(&answer.expect_status(200).body).unwrap();
    assert_eq!((&seen["tier"], &seen["ownRing"]), (&json!("shield"), &json!("shield/e2e")));
    // It is not for a shield to pass a request on to another one, whoever owns the key.
    let steps = steps(&seen);
    let direct = format!("shield-0 origin {} at-shield", authority(&origin));
    assert_eq!(steps, ["shield-0 previous-owner shield-1 newcomer", &*direct], "{seen:#}");
}

#[tokio::test]
async fn what_a_key_takes_in_besides_is_told() {
    let origin = Origin::start().await.unwrap();
    let world = Setup::new(&origin).start().await.unwrap();
    assert_eq!(seen(&world, "/a").await["key"]["alsoKeyedBy"], json!([]));
    let keyed = json!({ "key": { "headers": ["x-kind"], "cookies": ["shop"] } });
    let world = Setup::new(&origin).site(keyed).start().await.unwrap();
    let seen = seen(&world, "/a").await;
    assert_eq!(seen["key"]["alsoKeyedBy"], json!(["header x-kind", "cookie shop"]), "{seen:#}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_words() {
    let origin = Origin::start().await.unwrap();
    let world = edge(&origin, "Peer", true).await;
    let bearer = format!("Bearer {TOKEN}");
    for (path, field, part) in [
        ("ring?key=http://other.example/a", "key", "no site of this pool"),
        ("ring?key=/a", "key", "must be absolute"),
        ("ring?key=cdn.example.com", "key", "must be absolute"),
        ("ring?key=ftp://cdn.example.com/a", "key", "http"),
        ("ring?key=http://", "key", ""),
        ("ring?key=http://:80/", "key", ""),
        ("ring?key=http://[::1/", "key", ""),
        ("ring?key=", "key", "empty"),
        ("ring?key=%ff", "key", ""),
        ("ring?key=http://cdn.example.com/&key=http://cdn.example.com/", "query", "duplicate"),
        ("ring?url=http://cdn.example.com/a", "query", "unknown field"),
        ("upstreams?name=a", "query", "unknown field"),
        ("nodes?a=b", "query", "unknown field"),
        ("entry", "query", "url"),
        ("entries?limit=many", "query", "limit"),
    ] {
        let answer = admin(&world, &format!("/edges/lab-0/debug/{path}"), Some(&bearer)).await;
        assert_eq!(answer.status, 400, "{path}: {answer:#?}");
        let said: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((&said["error"], &said["field"]), (&json!("bad-request"), &json!(field)));
        let reason = said["reason"].as_str().unwrap();
        assert!(!reason.is_empty() && reason.contains(part), "{path}: {reason}");
    }
    // With a port, or in other letters, it is the same.
    for url in
        ["http://cdn.example.com:80/a", "HTTP://CDN.example.com/a#b", "http://CDN.EXAMPLE.COM./a"]
    {
        let path = format!("/edges/lab-0/debug/ring?key={}", url.replace('#', "%23"));
        let seen = read(&world, &path).await;
        assert_eq!(seen["key"]["key"], "http://cdn.example.com/a", "{url}");
    }
}

#[tokio::test]
async fn all_of_it_needs_the_token() {
    let origin = Origin::start().await.unwrap();
    let world = edge(&origin, "Peer", true).await;
    for path in [
        "/debug/nodes",
        "/edges/lab-0/debug/nodes",
        "/edges/lab-0/debug/ring",
        "/edges/lab-0/debug/ring?key=http://cdn.example.com/a",
        "/edges/lab-0/debug/upstreams",
    ] {
        for token in [None, Some("Bearer wrong")] {
            admin(&world, path, token).await.expect_status(401);
        }
        read(&world, path).await;
    }
    // Clients have no such pages.
    let asked = Request::get("/debug/ring").field("authorization", &format!("Bearer {TOKEN}"));
    origin.always("/debug/ring", Reply::ok("the origin's"));
    world.ask(asked).await.expect_status(200).expect_body("the origin's");
}
