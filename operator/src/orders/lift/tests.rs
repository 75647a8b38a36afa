use std::time::Duration;

use bus::Bus;
use serde_json::{Value, json};

use super::*;
use crate::fake::Asked;
use crate::orders::tests::{Stage, ban_spec, stage_with};
use crate::world::Watched;

fn standing_of(bans: &[(&str, i64, Option<&str>)]) -> Standing {
    bans.iter().map(|(uid, n, said)| (mark(uid), (*n, said.map(str::to_owned)))).collect()
}

#[test]
fn only_what_a_ban_rule_of_ours_gave_is_gone() {
    let id = |name: &str, uid: &str, n: u32| format!("ban:{name}:{}:{n}", mark(uid));
    let (kept, old) = (id("cdn.a", "1", 2), id("cdn.a", "1", 1));
    let (other, elsewhere) = (id("cdn.b", "2", 1), id("shop.b", "3", 1));
    let by_hand = "0123".to_owned();
    let local = "ban:news:0123456789abcdef".to_owned();
    let listed = [kept, old.clone(), other.clone(), elsewhere.clone(), by_hand, local];
    let there = standing_of(&[("1", 2, None)]);
    assert_eq!(gone(&listed, &there, &[]), [&old, &other, &elsewhere]);
    assert_eq!(gone(&listed, &there, &["cdn".to_owned()]), [&old, &other]);
    // It was edited to what cannot be: its last good state stays.
    let there = standing_of(&[("1", 3, Some(&listed[0]))]);
    assert!(!gone(&listed, &there, &[]).contains(&listed[0].as_str()));
}

/// Where `there` are the BanRules, as the API server answers.
fn answers(there: &'static [&'static str]) -> impl Fn(&Asked) -> (u16, Value) + Send + 'static {
    move |asked| {
        if asked.method != "GET" {
            return (200, json!({}));
        }
        let bans = there.iter().map(|uid| {
            let metadata =
                json!({ "namespace": "cdn", "name": uid, "uid": uid, "generation": 1 });
            json!({ "apiVersion": crds::API_VERSION, "kind": "BanRule", "metadata": metadata, "spec": {} })
        });
        let items: Vec<_> = bans.collect();
        (
            200,
            json!({
                "apiVersion": crds::API_VERSION, "kind": "BanRuleList",
                "metadata": { "resourceVersion": "1" }, "items": items,
            }),
        )
    }
}

/// Gives a ban by the BanRule `b`, which then goes.
async fn given_and_gone(stage: &Stage) -> String {
    stage.node("edge-web-fra-1").await;
    stage.put(Watched::Bans, "BanRule", "b", &json!({}), &ban_spec("/x/**"));
    let giving = tokio::spawn(crate::orders::run(stage.context.clone()));
    stage.wait(|asked| asked.path.ends_with("/status")).await;
    giving.abort();
    let id = stage.bus().bans().await.unwrap().remove(0);
    stage.context.world.remove(Watched::Bans, &("cdn".to_owned(), "b".to_owned()));
    id
}

#[tokio::test(start_paused = true)]
async fn a_ban_is_lifted_when_its_resource_is_gone() {
    let stage = stage_with(answers(&["another"]));
    let id = given_and_gone(&stage).await;
    let lifting = tokio::spawn(lift_gone(stage.context.clone(), Vec::new()));
    while !stage.bus().bans().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(stage.ordered().await.last(), Some(&Target::Lift(id)));
    assert_eq!(stage.context.counts.lifted.get(), 1);
    lifting.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_yet_but_there_stays() {
    let stage = stage_with(answers(&["b"]));
    given_and_gone(&stage).await;
    let lifting = tokio::spawn(lift_gone(stage.context.clone(), Vec::new()));
    stage.wait(|asked| asked.method == "GET").await;
    tokio::time::sleep(LOOK * 3).await;
    assert_eq!(stage.bus().bans().await.unwrap().len(), 1);
    lifting.abort();
}

#[tokio::test(start_paused = true)]
async fn what_never_came_into_the_log_does_not_come_there_any_more() {
    let stage = stage_with(answers(&[]));
    stage.bus().faults().cut();
    stage.put(Watched::Bans, "BanRule", "b", &json!({}), &ban_spec("/x/**"));
    let giving = tokio::spawn(crate::orders::run(stage.context.clone()));
    stage.wait(|asked| asked.path.ends_with("/status")).await;
    giving.abort();
    stage.context.world.remove(Watched::Bans, &("cdn".to_owned(), "b".to_owned()));
    let lifting = tokio::spawn(lift_gone(stage.context.clone(), Vec::new()));
    tokio::time::sleep(LOOK).await;
    stage.bus().faults().heal();
    tokio::time::sleep(LOOK * 3).await;
    assert_eq!(stage.ordered().await, []);
    lifting.abort();
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_away_is_waited_for() {
    let stage = stage_with(answers(&[]));
    given_and_gone(&stage).await;
    stage.bus().faults().cut();
    let lifting = tokio::spawn(lift_gone(stage.context.clone(), Vec::new()));
    tokio::time::sleep(LOOK * 3).await;
    stage.bus().faults().heal();
    while !stage.bus().bans().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    lifting.abort();
}
