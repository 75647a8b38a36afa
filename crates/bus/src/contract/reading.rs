//! What readers are told.

use std::time::Duration;

use tokio::time::Instant;
use wire::Seq;

use super::{Bench, eventually, next, order, publish, until, within};
use crate::BusError;

/// Entries come once, in order, and without waiting for a tick.
pub async fn entries_come_in_order_and_at_once(bench: &impl Bench) {
    let (bus, other) = (bench.join().await, bench.join().await);
    let before = publish(&bus, &["a", "b", "c"]).await;
    assert!(before.is_sorted_by_key(|position| position.seq));
    let mut reader = other.subscribe(None);
    assert_eq!(until(&mut reader, "caught up").await, ["a", "b", "c", "caught up"]);
    assert_eq!(reader.cursor(), before.last());
    let mut quickest = Duration::MAX;
    for n in 0..5 {
        let id = n.to_string();
        let start = Instant::now();
        let last = publish(&bus, &[&id]).await;
        assert_eq!(until(&mut reader, "caught up").await, [id.as_str(), "caught up"]);
        quickest = quickest.min(start.elapsed());
        assert_eq!(reader.cursor(), last.last());
        assert_eq!(other.end(), last.last().cloned());
    }
    assert!(quickest < Duration::from_millis(400), "{quickest:?}");
}

/// A reader goes on where another left off, over several pages.
pub async fn a_reader_goes_on_after_its_cursor(bench: &impl Bench) {
    let bus = bench.join().await;
    let ids: Vec<_> = (0..700).map(|n| n.to_string()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let positions = publish(&bus, &ids).await;
    let mut reader = bus.subscribe(Some(positions[99].clone()));
    assert_eq!((next(&mut reader).await.as_str(), reader.behind()), (ids[100], 599));
    let told = until(&mut reader, "caught up").await;
    assert_eq!(reader.behind(), 0);
    assert_eq!(told[..599], ids[101..]);
    assert_eq!(told.len(), 600);
    let mut idle = bus.subscribe(positions.last().cloned());
    assert_eq!(next(&mut idle).await, "caught up");
}

/// A log that starts anew is noticed even by who reads it all the time.
pub async fn another_log_is_a_gap(bench: &impl Bench) {
    let bus = bench.join().await;
    let positions = publish(&bus, &["a", "b"]).await;
    let mut reader = bus.subscribe(None);
    until(&mut reader, "caught up").await;
    bench.restart_empty().await;
    eventually("connected again", async || bus.publish(&order("c")).await.is_ok()).await;
    let told: Vec<_> = until(&mut reader, "c").await;
    assert_eq!(told.iter().filter(|told| *told == "gap: epoch").count(), 1, "{told:?}");
    let mut sleeper = bus.subscribe(positions.first().cloned());
    assert_eq!(next(&mut sleeper).await, "gap: epoch");
    assert_eq!(sleeper.cursor(), None);
    assert_eq!(until(&mut sleeper, "caught up").await, ["c", "caught up"]);
}

/// Who slept too long is told so, and then reads what is left.
pub async fn what_was_trimmed_unread_is_a_gap(bench: &impl Bench) {
    let bus = bench.join().await;
    let positions = publish(&bus, &["a", "b", "c", "d"]).await;
    bench.trim(2).await;
    let mut sleeper = bus.subscribe(positions.first().cloned());
    assert_eq!(until(&mut sleeper, "caught up").await, ["gap: trimmed", "c", "d", "caught up"]);
    let mut luckier = bus.subscribe(positions.get(1).cloned());
    assert_eq!(until(&mut luckier, "caught up").await, ["c", "d", "caught up"]);
    bench.trim(0).await;
    let mut sleeper = bus.subscribe(positions.get(2).cloned());
    assert_eq!(until(&mut sleeper, "caught up").await, ["gap: trimmed", "caught up"]);
    let mut awake = bus.subscribe(positions.get(3).cloned());
    assert_eq!(next(&mut awake).await, "caught up");
}

/// A log that fails over to a copy that lacks what was read.
pub async fn a_log_that_ends_too_early_is_a_gap(bench: &impl Bench) {
    let bus = bench.join().await;
    let positions = publish(&bus, &["a", "b", "c"]).await;
    bench.lose_tail(1).await;
    let mut reader = bus.subscribe(positions.get(2).cloned());
    assert_eq!(until(&mut reader, "caught up").await, ["gap: backwards", "a", "b", "caught up"]);
    let mut behind = bus.subscribe(positions.get(1).cloned());
    assert_eq!(next(&mut behind).await, "caught up");
}

/// The same, noticed only when newer entries came.
pub async fn a_log_that_goes_on_elsewhere_is_a_gap(bench: &impl Bench) {
    let bus = bench.join().await;
    let positions = publish(&bus, &["a", "b", "c"]).await;
    bench.lose_tail(1).await;
    // In the same millisecond the new id may be smaller than the lost one: then the log ends too early.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let later = publish(&bus, &["d"]).await;
    assert!(!positions.contains(&later[0]), "an id never names two entries");
    let mut reader = bus.subscribe(positions.get(2).cloned());
    let told = until(&mut reader, "caught up").await;
    assert_eq!(told, ["gap: broken", "a", "b", "d", "caught up"]);
    let mut behind = bus.subscribe(positions.get(1).cloned());
    assert_eq!(until(&mut behind, "caught up").await, ["d", "caught up"]);
}

/// Entries that nobody understands are told as such, and later ones still come.
pub async fn what_is_malformed_hides_nothing(bench: &impl Bench) {
    let bus = bench.join().await;
    let first = publish(&bus, &["a"]).await[0].clone();
    let mut reader = bus.subscribe(Some(first.clone()));
    assert_eq!(next(&mut reader).await, "caught up");
    bench.write(Some("{\"format\":99}".into()), Some(first.seq)).await;
    bench.write(Some("not json".into()), None).await;
    bench.write(None, None).await;
    publish(&bus, &["b"]).await;
    let told: Vec<_> = until(&mut reader, "b").await;
    let told: Vec<_> = told.iter().filter(|told| *told != "caught up").collect();
    assert_eq!(told, ["malformed", "malformed", "malformed", "b"]);
    // A word on what is before it that is not true is a gap, once.
    bench.write(Some("{".into()), Some(Seq::ZERO)).await;
    publish(&bus, &["c"]).await;
    let told = until(&mut reader, "c").await;
    assert_eq!(told.iter().filter(|told| told.starts_with("gap")).count(), 1, "{told:?}");
}

/// While the log cannot be reached, readers know; what came meanwhile is read then, without a gap.
pub async fn an_absence_is_told_and_loses_nothing(bench: &impl Bench) {
    let bus = bench.join().await;
    publish(&bus, &["a"]).await;
    let mut reader = bus.subscribe(None);
    until(&mut reader, "caught up").await;
    assert!(bus.connected());
    let start = Instant::now();
    bench.cut().await;
    assert_eq!(next(&mut reader).await, "away");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(!bus.connected());
    assert!(matches!(bus.publish(&order("b")).await, Err(BusError::Away(_))));
    bench.heal().await;
    eventually("connected again", async || bus.publish(&order("c")).await.is_ok()).await;
    let told = until(&mut reader, "c").await;
    // An order whose publication was not answered may be in the log all the same.
    let told: Vec<_> =
        told.iter().filter(|told| !["caught up", "away", "b"].contains(&told.as_str())).collect();
    assert_eq!(told, ["c"]);
    assert!(bus.connected());
}

/// A caller that is impatient gets everything all the same.
pub async fn turning_away_from_a_reader_loses_nothing(bench: &impl Bench) {
    let bus = bench.join().await;
    let mut reader = bus.subscribe(None);
    until(&mut reader, "caught up").await;
    let ids: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    let mut told = Vec::new();
    for id in &ids {
        publish(&bus, &[id]).await;
        for _ in 0..20 {
            let patience = Duration::from_micros(50);
            if let Ok(newest) = tokio::time::timeout(patience, next(&mut reader)).await {
                told.push(newest);
            }
        }
    }
    while told.iter().filter(|told| *told != "caught up").count() < ids.len() {
        told.push(within(next(&mut reader)).await);
    }
    told.retain(|told| told != "caught up");
    assert_eq!(told, ids);
}

/// What no reader would understand does not come into the log.
pub async fn a_bad_order_is_refused(bench: &impl Bench) {
    let bus = bench.join().await;
    let refused = bus.publish(&order("no spaces, please")).await;
    assert!(matches!(refused, Err(BusError::Refused(_))), "{refused:?}");
    publish(&bus, &["a"]).await;
    let mut reader = bus.subscribe(None);
    assert_eq!(until(&mut reader, "caught up").await, ["a", "caught up"]);
}
