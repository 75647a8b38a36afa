//! Orders to purge, and what becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use e2e::client::{HOST, Request};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::fleet::{Desk, eventually};
use crate::truth::{Change, PAGES, Truth, path, tag, tagged};

/// What is purged.
#[derive(Copy, Clone, Debug)]
pub(crate) enum What {
    /// A page, by its URL.
    Page(usize),
    /// The pages of a group, by their tag.
    Group(usize),
}

/// An order that was accepted.
pub(crate) struct Order {
    desk: Desk,
    change: Change,
    truth: Arc<Truth>,
    /// The first answer to it.
    pub(crate) status: u16,
    /// The report in that answer.
    pub(crate) first: Value,
    /// How long that answer took.
    pub(crate) took: Duration,
}

impl Order {
    /// Changes pages at the origin and has them purged; `prefer` is the header of that name.
    pub(crate) async fn send(truth: &Arc<Truth>, desk: Desk, what: What, prefer: &str) -> Self {
        let (change, body) = match what {
            What::Page(page) => {
                let url = format!("http://{HOST}{}", path(page));
                (truth.change([page]), json!({ "url": url }))
            }
            What::Group(group) => (truth.change(tagged(group)), json!({ "tag": tag(group) })),
        };
        let request = Request::new("POST", "/purge").field("prefer", prefer).body(body.to_string());
        let start = Instant::now();
        let (status, first) = desk.ask(request).await;
        let took = start.elapsed();
        let order = Self { desk, change, truth: truth.clone(), status, first, took };
        assert!(matches!(status, 200 | 202), "{status}: {:#}", order.first);
        order.note(&order.first);
        assert_eq!(status == 200, order.first["phase"] == "Complete", "{:#}", order.first);
        order
    }

    fn note(&self, report: &Value) {
        if report["phase"] == "Complete" {
            self.truth.complete(&self.change);
        }
    }

    /// Where it stands.
    pub(crate) async fn report(&self) -> Value {
        let id = self.first["id"].as_str().unwrap();
        let request = Request::get(&format!("/purge/{id}")).field("prefer", "respond-async");
        let (status, report) = self.desk.ask(request).await;
        assert_eq!(status, 200, "order {id} is forgotten: {report:#}");
        self.note(&report);
        report
    }

    /// Waits until the report is as it should be.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let what = format!("{what}: {}", self.first["id"]);
        eventually(&what, async || {
            last = self.report().await;
            holds(&last)
        })
        .await;
        last
    }

    pub(crate) async fn complete(&self) -> Value {
        self.until("complete", |report| report["phase"] == "Complete").await
    }
}

/// The names of the nodes that a report says to be in this state.
pub(crate) fn named<'a>(report: &'a Value, state: &str) -> Vec<&'a str> {
    let nodes = report["nodes"].as_array().unwrap();
    nodes.iter().filter(|n| n["state"] == state).map(|n| n["name"].as_str().unwrap()).collect()
}

/// Orders all the time, over every desk in turn.
pub(crate) struct Purging {
    over: Arc<AtomicBool>,
    task: JoinHandle<Vec<Order>>,
}

impl Purging {
    /// One each `every`, most by URL and some by tag; each answer may take `wait` and a little.
    pub(crate) fn start(truth: &Arc<Truth>, desks: Vec<Desk>, every: Duration) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (ended, truth) = (over.clone(), truth.clone());
        let task = tokio::spawn(async move {
            let mut sent = JoinSet::new();
            let mut tick = tokio::time::interval(every);
            for n in 0.. {
                tick.tick().await;
                if ended.load(SeqCst) {
                    break;
                }
                let what = if n % 5 == 4 { What::Group(n / 5 % 3) } else { What::Page(n % PAGES) };
                let (truth, desk) = (truth.clone(), desks[n % desks.len()]);
                sent.spawn(async move { Order::send(&truth, desk, what, "wait=2").await });
            }
            sent.join_all().await
        });
        Self { over, task }
    }

    /// Sends no more, and gives every order that was accepted.
    pub(crate) async fn end(self) -> Vec<Order> {
        self.over.store(true, SeqCst);
        self.task.await.unwrap()
    }
}

/// Waits until every one of them is complete.
pub(crate) async fn all_complete(orders: &[Order]) {
    for order in orders {
        order.complete().await;
    }
}
