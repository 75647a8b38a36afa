//! What every log must do: one suite for all of them, for tests only.
//!
//! [`contract!`](crate::contract!) makes a test of each check; a [`Bench`] makes a fresh log for each and
//! breaks it on demand.

#![expect(clippy::unwrap_used, reason = "a suite of tests may panic")]

use std::sync::Arc;
use std::time::Duration;

use wire::Seq;
use wire::invalidation::{FORMAT, How, Invalidation, LogPosition, Target};

use crate::{Bus, Delivery, Entry, Later, Subscription};

mod acknowledging;
mod node;
mod reading;
mod sending;

pub use acknowledging::*;
pub use node::Node;
pub use reading::*;
pub use sending::*;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A fresh log, and what may go wrong with it.
pub trait Bench: Send + Sync {
    /// Another process's line to the log.
    fn join(&self) -> Later<'_, Arc<dyn Bus>>;
    /// Nobody reaches the log.
    fn cut(&self) -> Later<'_, ()>;
    /// Ends [`Bench::cut`].
    fn heal(&self) -> Later<'_, ()>;
    /// Fails over to a copy that lacked the newest entries.
    fn lose_tail(&self, n: usize) -> Later<'_, ()>;
    /// Forgets everything, and is another log from then on.
    fn restart_empty(&self) -> Later<'_, ()>;
    /// Forgets all but the newest entries.
    fn trim(&self, keep: usize) -> Later<'_, ()>;
    /// Writes an entry by hand.
    fn write(&self, text: Option<String>, prev: Option<Seq>) -> Later<'_, ()>;
}

/// Makes a test of each check; the argument is an async function that makes a [`Bench`].
#[macro_export]
macro_rules! contract {
    ($make:path) => {
        $crate::contract!(
            $make;
            entries_come_in_order_and_at_once
            a_reader_goes_on_after_its_cursor
            another_log_is_a_gap
            what_was_trimmed_unread_is_a_gap
            a_log_that_ends_too_early_is_a_gap
            a_log_that_goes_on_elsewhere_is_a_gap
            what_is_malformed_hides_nothing
            an_absence_is_told_and_loses_nothing
            turning_away_from_a_reader_loses_nothing
            a_bad_order_is_refused
            later_acknowledgements_replace_former_ones
            an_entry_is_present_only_in_its_own_log
            silence_is_not_absence
            bans_in_force_are_known
            changes_wake
            an_order_is_complete_when_all_nodes_say_so
            a_node_that_is_silent_makes_an_order_partial
            orders_wait_for_the_log_in_their_order
            a_lost_order_is_published_again
            an_order_outlives_a_log_that_starts_empty
        );
    };
    ($make:path; $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                let bench = $make().await;
                $crate::contract::$check(&bench).await;
            }
        )*
    };
}

/// An order to purge everything.
pub fn order(id: &str) -> Invalidation {
    Invalidation {
        format: FORMAT,
        id: id.into(),
        target: Target::All,
        how: How::Hard,
        dry_run: false,
        issued_ms: 0,
    }
}

/// Publishes orders of these names, one after the other.
pub async fn publish(bus: &Arc<dyn Bus>, ids: &[&str]) -> Vec<LogPosition> {
    let mut positions = Vec::new();
    for id in ids {
        positions.push(bus.publish(&order(id)).await.unwrap());
    }
    positions
}

/// What a reader is told next, in short; it must not take long.
pub async fn next(reader: &mut Subscription) -> String {
    let delivery = within(reader.next()).await;
    match delivery {
        Delivery::Event(Entry { order: Ok(order), .. }) => order.id,
        Delivery::Event(Entry { order: Err(_), .. }) => "malformed".into(),
        Delivery::Gap(reason) => format!("gap: {}", reason.as_str()),
        Delivery::CaughtUp(_) => "caught up".into(),
        Delivery::Away => "away".into(),
    }
}

/// What a reader is told up to and with this.
pub async fn until(reader: &mut Subscription, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    while told.last().is_none_or(|newest| newest != last) {
        told.push(next(reader).await);
    }
    told
}

/// Waits for what must not take long.
pub async fn within<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}

/// Waits until this is so.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < until, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
