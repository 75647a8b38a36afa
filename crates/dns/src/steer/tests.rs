use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::fleet::{Family, Fleet, Pool, Target};
use crate::place::tests::mmdb::{database, flat, nested};
use crate::place::{Client, Database, PlaceSource};

mod plans;
mod properties;
mod simulation;

/// A fleet of one pool.
fn fleet(pool: Value) -> Arc<Fleet> {
    let zones = json!({"format": 1, "version": "v", "zones": {}, "pools": {"web": pool}});
    Arc::new(Fleet::new(&serde_json::from_value(zones).expect("a document")).expect("a fleet"))
}

/// A PoP at a place, or nowhere.
fn pop(name: &str, last: u8, place: Option<(f64, f64)>) -> Value {
    let mut pop = json!({"name": name, "v4": [format!("192.0.2.{last}")]});
    if let Some((latitude, longitude)) = place {
        pop["location"] = json!({"latitude": latitude, "longitude": longitude});
    }
    pop
}

fn around_the_world() -> Value {
    json!({
        "pops": [
            pop("fra", 1, Some((50.1, 8.7))), pop("nyc", 2, Some((40.7, -74.0))),
            pop("sin", 3, Some((1.3, 103.8))), pop("par", 4, Some((48.9, 2.4))),
        ],
        "networks": [
            {"network": "10.0.0.0/8", "pops": ["sin", "nyc"]},
            {"network": "172.16.0.0/12", "location": {"latitude": 48.0, "longitude": 2.0}},
        ],
        "rules": [{"country": "IS", "pops": ["nyc"]}],
        "steering": {"answers": 3},
    })
}

fn places() -> Database {
    let bytes = database(&[
        ("8.8.8.0/24", nested("NA", "US", "CA", 37.5, -122.25)),
        ("194.158.0.0/16", flat("AD", "", 42.5, 1.5)),
        ("5.23.64.0/20", flat("IS", "", 64.1, -21.9)),
    ]);
    Database::new(vec![bytes]).expect("a database")
}

fn client(address: &str) -> Client {
    Client::peer(address.parse().expect("an address"))
}

/// Clients of networks that differ.
fn clients(count: u32) -> impl Iterator<Item = Client> {
    (0..count).map(|nth| Client::peer(IpAddr::V4(Ipv4Addr::from(0x5000_0000 + (nth << 8)))))
}

/// The names of the PoPs that a client gets.
fn names(view: &View, client: &Client, database: Option<&Database>) -> Vec<String> {
    let (pool, side) = view.side(0, Family::V4).expect("the pool");
    let choice = choose(pool, Family::V4, side, client, database);
    let name = |nth: &u16| pool.side(Family::V4).targets[usize::from(*nth)].name.clone();
    choice.picked().iter().map(name).collect()
}

/// A view in which the PoPs named are in these states, the others healthy, for long.
fn view(fleet: &Arc<Fleet>, states: &[(&str, PopState)]) -> View {
    Planner::default().plan(fleet, Duration::ZERO, |_, _, target| seen(states, target))
}

fn seen(states: &[(&str, PopState)], target: &Target) -> Seen {
    let state = states.iter().find(|(name, _)| *name == target.name).map(|(_, state)| *state);
    Seen::new(state.unwrap_or(PopState::Healthy))
}

#[test]
fn the_nearest_come_first() {
    let view = View::calm(fleet(around_the_world()));
    let database = places();
    let go = |address| names(&view, &client(address), Some(&database));
    assert_eq!(go("8.8.8.8"), ["nyc", "par", "fra"]);
    assert_eq!(go("194.158.1.1"), ["par", "fra", "nyc"]);
    assert_eq!(go("172.16.1.1"), ["par", "fra", "nyc"], "by the place of the network");
}

#[test]
fn networks_and_rules_come_before_distance() {
    let view = View::calm(fleet(around_the_world()));
    let database = places();
    let go = |address| names(&view, &client(address), Some(&database));
    assert_eq!(go("10.1.1.1"), ["sin", "nyc", "fra"], "then whoever is near the first");
    assert_eq!(go("5.23.65.1"), ["nyc", "par", "fra"], "Iceland by rule");
}

//= rfc7871#7.2.1
#[test]
fn the_source_and_the_scope_are_said() {
    let fleet = fleet(around_the_world());
    let view = View::calm(fleet);
    let database = places();
    let (pool, side) = view.side(0, Family::V4).unwrap();
    let told = |address, database| {
        let choice = choose(pool, Family::V4, side, &client(address), database);
        (choice.source, choice.bits)
    };
    let some = Some(&database);
    assert_eq!(told("8.8.8.8", some), (PlaceSource::Database, 24));
    assert_eq!(told("194.158.1.1", some), (PlaceSource::Database, 16));
    assert_eq!(told("10.1.1.1", some), (PlaceSource::NetworkPops, 8));
    assert_eq!(told("172.16.1.1", some), (PlaceSource::NetworkPlace, 12));
    assert_eq!(told("5.23.65.1", some), (PlaceSource::Rule, 20));
    assert_eq!(told("9.9.9.9", None), (PlaceSource::Unknown, 24), "the hash of the prefix decided");
    let alone = View::calm(super::tests::fleet(json!({"pops": [pop("one", 1, None)]})));
    let (pool, side) = alone.side(0, Family::V4).unwrap();
    let choice = choose(pool, Family::V4, side, &client("8.8.8.8"), some);
    assert_eq!((choice.source, choice.bits), (PlaceSource::Needless, 0));
    assert!(choose(pool, Family::V6, side, &client("8.8.8.8"), some).picked().is_empty());
}

#[test]
fn pops_without_a_place_come_after_those_with_one() {
    let pops = [pop("a", 1, None), pop("b", 2, Some((0.0, 0.0))), pop("c", 3, Some((0.0, 90.0)))];
    let view = View::calm(fleet(json!({"pops": pops, "steering": {"answers": 3}})));
    let database = places();
    assert_eq!(names(&view, &client("8.8.8.8"), Some(&database)), ["b", "c", "a"]);
}

#[test]
fn weight_shares_clients_among_equals_only() {
    let mut pops = [pop("a", 1, Some((5.0, 5.0))), pop("b", 2, Some((5.0, 5.0)))];
    pops[0]["weight"] = json!(300);
    let mut far = pop("far", 3, Some((-40.0, -170.0)));
    far["weight"] = json!(1_000);
    let pool = json!({"pops": [pops[0], pops[1], far], "steering": {"answers": 1},
        "networks": [{"network": "0.0.0.0/0", "location": {"latitude": 4.0, "longitude": 4.0}}]});
    let view = View::calm(fleet(pool));
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for client in clients(4_000) {
        let first = names(&view, &client, None).remove(0);
        assert_eq!(names(&view, &client, None)[0], first, "the same again");
        *counts.entry(first).or_default() += 1;
    }
    assert_eq!(counts.len(), 2, "never the far one: {counts:?}");
    assert!((2_850..3_150).contains(&counts["a"]), "three quarters: {counts:?}");
}

#[test]
fn without_a_place_weight_decides_alone() {
    let mut pops = [pop("a", 1, Some((5.0, 5.0))), pop("b", 2, None), pop("c", 3, None)];
    pops[2]["weight"] = json!(0);
    let view = View::calm(fleet(json!({"pops": pops, "steering": {"answers": 3}})));
    let mut first = 0;
    for client in clients(2_000) {
        let names = names(&view, &client, None);
        assert_eq!(names.len(), 2, "weight 0 is out of DNS: {names:?}");
        first += u32::from(names[0] == "a");
    }
    assert!((900..1_100).contains(&first), "{first}");
}

#[test]
fn the_dead_are_left_out_and_the_next_take_over() {
    let fleet = fleet(around_the_world());
    let database = places();
    let dead = [("par", PopState::Unhealthy), ("nyc", PopState::Maintenance)];
    let view = view(&fleet, &dead);
    assert_eq!(names(&view, &client("194.158.1.1"), Some(&database)), ["fra", "sin"]);
    assert_eq!(names(&view, &client("10.1.1.1"), Some(&database)), ["sin", "fra"]);
}

#[test]
fn all_bad_are_all_served_and_flagged() {
    let fleet = fleet(around_the_world());
    let database = places();
    let mut states = ["fra", "nyc", "sin", "par"].map(|name| (name, PopState::Unhealthy));
    let all = view(&fleet, &states);
    assert!(all.side(0, Family::V4).unwrap().1.all_bad);
    assert_eq!(all.side(0, Family::V4).unwrap().1.ttl, 5, "a change is hoped for");
    assert_eq!(names(&all, &client("194.158.1.1"), Some(&database)), ["par", "fra", "nyc"]);
    states[3].1 = PopState::Maintenance;
    let without = view(&fleet, &states);
    assert_eq!(names(&without, &client("194.158.1.1"), Some(&database)), ["fra", "nyc", "sin"]);
    let drained = view(&fleet, &states.map(|(name, _)| (name, PopState::Maintenance)));
    assert_eq!(names(&drained, &client("194.158.1.1"), Some(&database)).len(), 3);
    let one = view(&fleet, &states[..3]);
    assert!(!one.side(0, Family::V4).unwrap().1.all_bad);
    assert_eq!(names(&one, &client("8.8.8.8"), Some(&database)), ["par"]);
}

#[test]
fn a_share_takes_that_many_clients_and_the_rest_go_on() {
    let fleet = fleet(around_the_world());
    let part = view(&fleet, &[("par", PopState::Degraded(0.3))]);
    let near = |nth: u32| client(&Ipv4Addr::from(0xAC10_0000 + (nth << 8)).to_string());
    let first = |nth| names(&part, &near(nth), None).remove(0);
    let par = (0..4_000).filter(|nth| first(*nth) == "par").count();
    assert!((1_080..1_320).contains(&par), "{par}");
    assert!((0..4_000).all(|nth| ["par", "fra"].contains(&first(nth).as_str())));
}

#[test]
fn an_explanation_says_what_is_chosen_and_why_not_the_others() {
    let fleet = fleet(around_the_world());
    let database = places();
    let view = view(&fleet, &[("par", PopState::Degraded(0.0)), ("nyc", PopState::Unhealthy)]);
    let (pool, side) = view.side(0, Family::V4).unwrap();
    let client = client("194.158.1.1");
    let explanation = explain(pool, Family::V4, side, &client, Some(&database));
    assert_eq!(explanation.country.as_deref(), Some("AD"));
    let found: Vec<_> =
        explanation.candidates.iter().map(|c| (c.pop.as_str(), c.verdict.as_str())).collect();
    assert_eq!(found, [("fra", "chosen"), ("sin", "chosen"), ("nyc", "out"), ("par", "out")]);
    let kilometres = explanation.candidates[0].kilometres.unwrap();
    assert!((900.0..1_100.0).contains(&kilometres), "{kilometres}");
}
