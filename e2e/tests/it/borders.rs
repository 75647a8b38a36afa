//! What belongs to this network alone and must not leave it: debug fields of tiers, tags, positions.

use std::sync::Arc;

use e2e::client::{Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::Setup;
use serde_json::json;

use crate::nodes::{self, follow, get, node, serve, shield, store, to_shield, versions};
use crate::support::start_with;

/// Who asks for them gets those of the edge; who does not gets none, though the shield had been asked.
#[tokio::test]
async fn debug_fields_of_a_shield_are_not_stored_at_the_edge() {
    let origin = Origin::start().await.unwrap();
    versions(&origin);
    let log = nodes::log();
    let (edge, shield) = (node(&origin, json!({})), shield(&origin));
    let address = serve(edge.clone(), to_shield(&shield));
    follow(&edge, Arc::new(log.join()), "edge").await;
    follow(&shield, Arc::new(log.join()), "shield").await;
    store(&edge, address, "/a").await;
    get(address, "/a").await.expect_field("x-edge-node", "edge-0");
    let plain = ask(address, Request::get("/a")).await.unwrap();
    plain.expect_status(200).expect_body("v1");
    for name in ["x-cache", "x-cache-key", "x-cache-ttl", "x-cache-vary", "x-edge-node"] {
        plain.expect_no(name);
    }
}

#[tokio::test]
async fn an_interim_response_brings_clients_nothing_internal() {
    let origin = Origin::start().await.unwrap();
    let early = [("link", "</a>"), ("surrogate-key", "one"), ("x-cdn-seq", "e/1-1")];
    origin.always("*", Reply::fresh(60, "x").early(103, early));
    let setup = Setup::new(&origin).site(json!({ "debugHeaders": "Never" }));
    let world = setup.start_edge().await.unwrap();
    let answer = world.ask("/a").await;
    let [(103, fields)] = answer.interim.as_slice() else { panic!("{:?}", answer.interim) };
    assert_eq!(fields.get("link"), Some("</a>"));
    assert!(!fields.has("surrogate-key") && !fields.has("x-cdn-seq"), "{fields:?}");
}

/// A field that a qualified directive keeps out of the store is still for this network alone.
#[tokio::test]
async fn what_is_withheld_from_the_store_does_not_cross_either() {
    let (origin, world) = start_with(|s| s.site(json!({ "debugHeaders": "Never" }))).await;
    origin.on("/a", |asked| {
        Reply::validated(asked, "\"one\"", "a")
            .field("cache-control", "max-age=10, no-cache=\"surrogate-key, x-shown\"")
            .field("surrogate-key", "secret")
            .field("x-shown", "yes")
    });
    for _ in 0..2 {
        let answer = world.ask("/a").await;
        answer.expect_status(200).expect_no("surrogate-key").expect_field("x-shown", "yes");
        world.settled().await;
        world.pass_seconds(20);
    }
}
