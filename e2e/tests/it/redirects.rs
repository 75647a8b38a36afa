//! Mode `redirect`: clients are sent to the edge that owns what they ask for.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::SeqCst;

use e2e::client::{Answer, HOST, Request, ask};
use wire::snapshot::PeeringMode;

use crate::sharing::Place;

async fn place() -> Place {
    Place::start(PeeringMode::Redirect, 20, 6_000).await
}

/// Asks for `path` by the site's name.
async fn at(edge: SocketAddr, path: &str) -> Answer {
    ask(edge, path).await.unwrap()
}

/// Asks until it is stored.
async fn stored(edge: SocketAddr, request: Request) {
    for _ in 0..200 {
        let answer = ask(edge, request.clone()).await.unwrap();
        answer.expect_status(200);
        if answer.field("x-cache") == "HIT" {
            return;
        }
    }
    panic!("{request:?} is never stored");
}

/// A path that `e1` owns, asked for at `e0`.
async fn elsewhere(place: &Place) -> String {
    for n in 0..64 {
        let path = format!("/{n}?q=1");
        if at(place.clients[0], &path).await.status == 302 {
            return path;
        }
    }
    panic!("e1 owns nothing");
}

fn name(place: &Place, edge: usize) -> String {
    format!("e{edge}.{HOST}:{}", place.clients[edge].port())
}

//= rfc9110#15.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_sent_to_the_owner_and_served_there() {
    let place = place().await;
    let path = elsewhere(&place).await;
    let fetched = place.fetched.load(SeqCst);
    let sent = at(place.clients[0], &path).await;
    let owner = name(&place, 1);
    sent.expect(302, "REDIRECT").expect_field("location", &format!("http://{owner}{path}"));
    sent.expect_field("cache-control", "no-store").expect_cache_status("e0; detail=peer-owns");
    assert_eq!(place.fetched.load(SeqCst), fetched, "nobody was asked");
    let by_name = Request::get(&path).field("host", &owner);
    ask(place.clients[1], by_name.clone()).await.unwrap().expect(200, "MISS");
    // By whatever name, it is one and the same.
    stored(place.clients[1], by_name).await;
    at(place.clients[1], &path).await.expect(200, "HIT");
    assert_eq!(place.fetched.load(SeqCst), fetched + 1);
    let head = ask(place.clients[0], Request::new("HEAD", &path)).await.unwrap();
    head.expect(302, "REDIRECT").expect_body("");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_sent_is_not_sent_on() {
    let place = place().await;
    let path = elsewhere(&place).await;
    // As by an edge with another view of who is there.
    let request = Request::get(&path).field("host", &name(&place, 0));
    ask(place.clients[0], request.clone()).await.unwrap().expect(200, "MISS");
    stored(place.clients[0], request).await;
    // And what is stored is for everybody.
    at(place.clients[0], &path).await.expect(200, "HIT");
    // The name of another edge is none of a site's.
    let other = Request::get(&path).field("host", &name(&place, 1));
    ask(place.clients[0], other).await.unwrap().expect_status(421);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_sent_away_is_answered_on_the_spot() {
    let place = place().await;
    let path = elsewhere(&place).await;
    let fetched = place.fetched.load(SeqCst);
    ask(place.clients[0], Request::new("DELETE", &path)).await.unwrap().expect(200, "PASS");
    assert_eq!(place.fetched.load(SeqCst), fetched + 1);
}
