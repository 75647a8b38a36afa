//! What an origin is spared, and what clients get meanwhile: slow, erring, gone and back, under load (S3–S5).
//!
//! All times are real. The origin is as slow as it says; the site's patience is short instead, so that a
//! test takes seconds.

use std::time::Duration;

use e2e::client::{Answer, Request, ask};
use e2e::workers::{Manner, Visit, Workers, most_at_once};
use e2e::world::{Setup, TOKEN, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

mod failover;
mod fair;
mod left;
mod outage;
mod tiers;

/// How long it may take until an origin hears that a request was given up.
const GRACE: Duration = Duration::from_millis(100);

/// A site of `workers` alone.
fn setup(workers: &Workers) -> Setup {
    Setup::at(json!([{ "url": workers.url() }]))
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What `/debug/upstreams` of the first edge says of the upstream called `name`.
async fn debug(world: &World, name: &str) -> Value {
    let request = Request::get("/edges/lab-0/debug/upstreams")
        .field("host", "localhost")
        .field("authorization", &format!("Bearer {TOKEN}"));
    let answer = ask(world.local.as_ref().unwrap().status, request).await.unwrap();
    let said: Value = serde_json::from_slice(&answer.expect_status(200).body).unwrap();
    let all = said["upstreams"].as_array().unwrap();
    all.iter().find(|upstream| upstream["name"] == name).unwrap().clone()
}

/// What came of one request of a load.
#[derive(Debug)]
struct Got {
    path: String,
    answer: Answer,
    took: Duration,
}

impl Got {
    fn status(&self) -> u16 {
        self.answer.status
    }

    /// Why it got no answer of the origin.
    fn reason(&self) -> &str {
        let status = self.answer.field("cache-status");
        status.split("detail=").nth(1).unwrap_or_default()
    }

    /// Whether it was sent away for now, and told when to come again.
    fn was_told_to_come_again(&self) -> bool {
        let again = self.answer.field("retry-after").parse::<u32>();
        self.status() == 503 && again.is_ok_and(|seconds| (1..=60).contains(&seconds))
    }
}

/// Sends a request for each of `paths`, one every `every`, whatever becomes of those before it.
async fn load(world: &World, paths: impl Iterator<Item = String>, every: Duration) -> Vec<Got> {
    let (begun, address) = (Instant::now(), world.address);
    let mut asking = JoinSet::new();
    for (number, path) in (0..).zip(paths) {
        sleep_until(begun + every * number).await;
        asking.spawn(async move {
            let sent = Instant::now();
            let answer = ask(address, Request::get(&path)).await.unwrap();
            Got { path, answer, took: sent.elapsed() }
        });
    }
    asking.join_all().await
}
