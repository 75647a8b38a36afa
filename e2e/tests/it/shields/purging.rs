//! An order that is complete holds on both tiers, whatever goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use e2e::client::{Client, Request};
use e2e::origin::Origin;
use serde_json::json;
use tokio::task::JoinSet;

use super::{MODES, each, order, setup, tagged};

/// An origin that answers with its version at the time.
fn versions(origin: &Origin) -> Arc<AtomicUsize> {
    let version = Arc::new(AtomicUsize::new(1));
    let now = version.clone();
    origin.on("*", move |_| tagged(now.load(SeqCst).to_string()));
    version
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_by_tag_is_complete_on_edges_and_shields() {
    for mode in MODES {
        let origin = Origin::start().await.unwrap();
        let version = versions(&origin);
        let world = setup(&origin, mode).start().await.unwrap();
        for answer in each(&world, "/a").await {
            answer.expect_status(200).expect_body("1");
        }
        world.all_settled().await;
        let stored: u64 = world.nodes().iter().map(|node| node.cache.stats().objects).sum();
        // Six edges and the owning shield, or one edge in each place and that shield.
        assert_eq!(stored, if mode == "Peer" { 4 } else { 7 }, "{mode}");
        version.store(2, SeqCst);
        let report = order(&world, "POST", "/purge", r#"{"tag":"one"}"#).await;
        assert_eq!(report["matched"], stored, "{mode}: {report:#}");
        let mut names: Vec<_> = report["nodes"].as_array().unwrap().iter().collect();
        names.sort_by_key(|node| node["name"].to_string());
        let names: Vec<_> = names.iter().map(|node| node["name"].clone()).collect();
        let all =
            json!(["fra-0", "fra-1", "iad-0", "iad-1", "shield-0", "shield-1", "sin-0", "sin-1"]);
        assert_eq!(json!(names), all);
        for answer in each(&world, "/a").await {
            answer.expect_status(200).expect_body("2");
        }
        assert_eq!(origin.count("/a"), 2, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_comes_after_a_purge_is_complete_while_everybody_asks() {
    const PURGES: usize = 10;
    for mode in MODES {
        let origin = Origin::start().await.unwrap();
        let version = versions(&origin);
        let world = setup(&origin, mode).start().await.unwrap();
        // Since when nothing older may come.
        let complete = Arc::new(AtomicUsize::new(1));
        let (answers, hits) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut asking = JoinSet::new();
        for (n, edge) in world.edges().into_iter().cycle().take(12).enumerate() {
            let (complete, answers, hits) = (complete.clone(), answers.clone(), hits.clone());
            asking.spawn(async move {
                let mut client = Client::connect(edge).await.unwrap();
                for turn in n.. {
                    let least = complete.load(SeqCst);
                    if least > PURGES {
                        break;
                    }
                    let path = format!("/{}", turn % 5);
                    let answer = client.ask(Request::get(&path)).await.unwrap();
                    answer.expect_status(200);
                    let came: usize = answer.text().parse().unwrap();
                    assert!(
                        came >= least,
                        "version {came} after {least} was complete: {answer:#?}"
                    );
                    answers.fetch_add(1, SeqCst);
                    hits.fetch_add(usize::from(answer.field("x-cache") == "HIT"), SeqCst);
                }
            });
        }
        for purge in 2..=PURGES + 1 {
            // Stored again on both tiers, and asked for all the time.
            let enough = answers.load(SeqCst) + 100;
            world.until("answers", || answers.load(SeqCst) >= enough || asking.is_empty()).await;
            version.store(purge, SeqCst);
            order(&world, "POST", "/purge", r#"{"tag":"one"}"#).await;
            complete.store(purge, SeqCst);
        }
        asking.join_all().await;
        assert!(hits.load(SeqCst) > PURGES * 10, "{mode}: hardly anything is stored");
        let asked: usize = (0..5).map(|n| origin.count(&format!("/{n}"))).sum();
        println!("{mode}: {} answers, {asked} requests at the origin", answers.load(SeqCst));
    }
}
