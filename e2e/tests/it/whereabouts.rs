//! `blue-origin where` against a running CDN: what the API says and what the program reads are one.

use std::ffi::OsString;
use std::io::Cursor;

use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN, World};
use serde_json::{Value, json};

/// Runs the program; its exit code, what it says and what it complains about.
async fn run(world: &World, path: &str, args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = cli::Io {
        out: &mut out,
        err: &mut err,
        input: &mut Cursor::new(Vec::new()),
        can_ask: false,
        can_rewrite: false,
        token: Some(TOKEN.into()),
    };
    let api = format!("http://{}{path}", world.local.as_ref().unwrap().status);
    let args = [&["blue-origin", "where", "--api", &api], args].concat();
    let code = cli::run(args.into_iter().map(OsString::from), &mut io).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

async fn two_edges() -> (Origin, World) {
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::fresh(60, "hello"));
    let setup = Setup::new(&origin).spec(json!({ "pops": [{ "name": "lab", "replicas": 2 }] }));
    let world = setup.start().await.unwrap();
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    (origin, world)
}

const URL: &str = "http://cdn.example.com/a";

#[tokio::test]
async fn every_node_of_local_is_shown() {
    let (origin, world) = two_edges().await;
    let (code, out, err) = run(&world, "", &[URL]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let at = origin.url().trim_start_matches("http://").to_owned();
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("NODE   POOL  STORED"), "{out}");
    let stored =
        format!("lab-0  e2e   200, 5 bytes, fresh for 1m0s, 0s old  origin {at} (no-shield)");
    assert_eq!(lines[1], stored, "{out}");
    let not = format!("lab-1  e2e   no                                    origin {at} (no-shield)");
    assert_eq!(lines[2], not, "{out}");
    // By the address that a browser on this machine uses, it is the same.
    let alias = format!("http://{}/a", world.address);
    assert_eq!(run(&world, "", &[&alias]).await.1, out);
}

#[tokio::test]
async fn one_node_is_shown_in_full() {
    let (origin, world) = two_edges().await;
    let named = run(&world, "", &[URL, "--node", "lab-0"]).await;
    let (code, out, err) = &named;
    assert_eq!((*code, err.as_str()), (0, ""), "{out}");
    let at = origin.url().trim_start_matches("http://").to_owned();
    for part in [
        "node    lab-0, edge of e2e,",
        "key     http://cdn.example.com/a\n",
        "stored  200, 5 bytes, fresh for 1m0s, 0s old\n",
        "FROM   TIER    TO",
        &format!("lab-0  origin  {at}"),
        "no-shield",
        "closed",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    // The same node, asked at an address where it is alone.
    let alone = run(&world, "/edges/lab-0", &[URL]).await;
    assert!(alone.1.starts_with("node    lab-0, edge of e2e,"), "{alone:?}");
    assert_eq!(alone.0, 0);
}

#[tokio::test]
async fn json_has_it_all() {
    let (_origin, world) = two_edges().await;
    let (code, out, _) = run(&world, "", &[URL, "--json"]).await;
    assert_eq!(code, 0, "{out}");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&said["url"], &said["refused"]), (&json!(URL), &json!([])));
    let nodes = said["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "{said:#}");
    assert_eq!(nodes[0]["entry"]["variants"][0]["bodyBytes"], 5, "{said:#}");
    assert_eq!((&nodes[1]["name"], &nodes[1]["entry"]), (&json!("lab-1"), &Value::Null));
    assert_eq!(nodes[1]["ring"]["way"][0]["why"], "no-shield", "{said:#}");
}

#[tokio::test]
async fn what_cannot_be_found_is_said() {
    let (_origin, world) = two_edges().await;
    for (args, part) in [
        (&["http://other.example/a"][..], "http://other.example/a: no site of this pool serves"),
        (&["/a"], "/a: must be absolute"),
        (&[URL, "--node", "fra-0"], "there is no node `fra-0` behind"),
        (&[URL, "--node", "fra-0"], "there is lab-0, lab-1"),
    ] {
        let (code, out, err) = run(&world, "", args).await;
        assert_eq!((code, out.as_str()), (1, ""), "{args:?} {err}");
        assert!(err.contains(part), "{part}: {err}");
    }
}
