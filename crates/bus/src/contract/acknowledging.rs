//! Acknowledgements and members.

use std::time::Duration;

use wire::Seq;
use wire::invalidation::{Ack, Ban, Invalidation, LogPosition, Pattern, Target};

use super::node::beat;
use super::{Bench, order, publish, within};

fn ack(node: &str, at: &LogPosition, matched: Option<u64>) -> Ack {
    Ack { node: node.into(), seq: at.seq, matched, error: None }
}

/// A node has one acknowledgement for an entry: its last.
pub async fn later_acknowledgements_replace_former_ones(bench: &impl Bench) {
    let (bus, other) = (bench.join().await, bench.join().await);
    let at = publish(&bus, &["a", "b"]).await;
    let epoch = &at[0].epoch;
    bus.acknowledge(epoch, &[ack("n", &at[0], None), ack("n", &at[1], None)]).await.unwrap();
    bus.acknowledge(epoch, &[ack("n", &at[0], Some(7)), ack("m", &at[0], None)]).await.unwrap();
    let mut known = other.acks(&at).await.unwrap();
    known[0].acks.sort_by(|a, b| a.node.cmp(&b.node));
    assert!(known.iter().all(|acks| acks.present));
    assert_eq!(known[0].acks, [ack("m", &at[0], None), ack("n", &at[0], Some(7))]);
    assert_eq!(known[1].acks, [ack("n", &at[1], None)]);
    assert!(other.acks(&[]).await.unwrap().is_empty());
}

/// Entries that are trimmed, lost, or of another log are absent, and nothing is noted for them.
pub async fn an_entry_is_present_only_in_its_own_log(bench: &impl Bench) {
    let bus = bench.join().await;
    let at = publish(&bus, &["a", "b", "c", "d"]).await;
    let presence = async |at: &[LogPosition]| -> Vec<bool> {
        bus.acks(at).await.unwrap().iter().map(|acks| acks.present).collect()
    };
    assert_eq!(presence(&at).await, [true; 4]);
    bench.trim(3).await;
    bench.lose_tail(1).await;
    assert_eq!(presence(&at).await, [false, true, true, false]);
    bus.acknowledge(&at[3].epoch, &[ack("n", &at[3], None)]).await.unwrap();
    assert_eq!(bus.acks(&at[3..]).await.unwrap()[0].acks, []);
    let strangers = [
        LogPosition { epoch: "another".into(), seq: at[1].seq },
        LogPosition { epoch: at[1].epoch.clone(), seq: Seq { ms: 1, n: 1 } },
    ];
    assert_eq!(presence(&strangers).await, [false; 2]);
    bus.acknowledge("another", &[ack("n", &at[1], None)]).await.unwrap();
    assert_eq!(bus.acks(&at[1..2]).await.unwrap()[0].acks, []);
}

/// A node is a member until it leaves, and again when it is back.
pub async fn silence_is_not_absence(bench: &impl Bench) {
    let (bus, other) = (bench.join().await, bench.join().await);
    for name in ["b", "a", "c"] {
        bus.heartbeat(&beat(name)).await.unwrap();
    }
    other.members().await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    bus.heartbeat(&beat("c")).await.unwrap();
    let members = other.members().await.unwrap();
    let names: Vec<_> = members.iter().map(|member| member.beat.node.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(members[0].beat, beat("a"));
    let long = Duration::from_millis(50);
    let silent: Vec<_> = members.iter().map(|member| member.silent >= long).collect();
    let unheard: Vec<_> = members.iter().map(|member| member.unheard >= long).collect();
    assert_eq!((silent, unheard), (vec![true, true, false], vec![true, true, false]));

    assert!(other.leave("b").await.unwrap());
    assert!(!bus.leave("b").await.unwrap());
    assert!(!bus.leave("nobody").await.unwrap());
    assert_eq!(bus.members().await.unwrap().len(), 2);
    assert_eq!(other.members().await.unwrap().len(), 2);
    bus.heartbeat(&beat("b")).await.unwrap();
    assert_eq!(other.members().await.unwrap().len(), 3);
}

/// Bans are known as long as they are in force: longer than their entries, and no longer than the log.
pub async fn bans_in_force_are_known(bench: &impl Bench) {
    let (bus, other) = (bench.join().await, bench.join().await);
    let known = async || {
        let mut bans = other.bans().await.unwrap();
        bans.sort();
        bans
    };
    assert!(known().await.is_empty());
    for (id, ttl_ms, dry_run) in [
        ("long", 3_600_000, false),
        ("lifted", 3_600_000, false),
        ("short", 200, false),
        ("dry", 3_600_000, true),
    ] {
        bus.publish(&Invalidation { dry_run, ..to(id, ban(id, ttl_ms)) }).await.unwrap();
    }
    publish(&bus, &["no-ban"]).await;
    assert_eq!(known().await[..2], ["lifted", "long"]);
    bus.publish(&Invalidation { dry_run: true, ..to("l1", Target::Lift("lifted".into())) })
        .await
        .unwrap();
    bus.publish(&to("l2", Target::Lift("unknown".into()))).await.unwrap();
    assert_eq!(known().await[..2], ["lifted", "long"]);
    bus.publish(&to("l3", Target::Lift("lifted".into()))).await.unwrap();
    bench.trim(1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(known().await, ["long"]);
    // The nodes forget all that they stored when it is another log: nothing is banned from there any more.
    bench.restart_empty().await;
    within(async {
        while other.bans().await != Ok(Vec::new()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn to(id: &str, target: Target) -> Invalidation {
    Invalidation { target, ..order(id) }
}

fn ban(id: &str, ttl_ms: u64) -> Target {
    let path = Some(Pattern::Prefix("/x".into()));
    Target::Ban(Ban { id: id.into(), host: None, path, headers: Vec::new(), ttl_ms })
}

/// Whoever waits for acknowledgements or members need not wait for a tick.
pub async fn changes_wake(bench: &impl Bench) {
    let (bus, other) = (bench.join().await, bench.join().await);
    let at = publish(&bus, &["a"]).await.remove(0);
    let mut changes = other.changes();
    within(changes.next()).await;
    let mut quickest = Duration::MAX;
    for n in 0..5 {
        // What is under way already must not be taken for the answer.
        tokio::time::sleep(Duration::from_millis(30)).await;
        within(changes.next()).await;
        let start = tokio::time::Instant::now();
        if n % 2 == 0 {
            bus.acknowledge(&at.epoch, &[ack("n", &at, Some(n))]).await.unwrap();
        } else {
            bus.heartbeat(&beat(&n.to_string())).await.unwrap();
        }
        within(changes.next()).await;
        quickest = quickest.min(start.elapsed());
    }
    assert!(quickest < Duration::from_millis(400), "{quickest:?}");
}
