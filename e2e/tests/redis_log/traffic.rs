//! Clients that ask every edge for every page, all the time, and judge each answer.

use std::sync::Arc;
use std::time::Duration;

use e2e::client::{Client, Request};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fleet::Edge;
use crate::truth::{PAGES, Truth, path};

/// Clients of each edge.
const CLIENTS: usize = 2;
/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(6);

/// What the clients saw.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answers: usize,
    pub(crate) hits: usize,
}

pub(crate) struct Traffic {
    truth: Arc<Truth>,
    over: watch::Sender<bool>,
    clients: JoinSet<Tally>,
}

impl Traffic {
    pub(crate) fn start(truth: &Arc<Truth>, edges: &[Edge]) -> Self {
        let over = watch::Sender::new(false);
        let mut clients = JoinSet::new();
        for edge in edges {
            for n in 0..CLIENTS {
                let (name, address) = (edge.name.clone(), edge.address);
                let (truth, over) = (truth.clone(), over.subscribe());
                clients.spawn(async move {
                    let mut client = Client::connect(address).await.unwrap();
                    let mut tally = Tally::default();
                    let mut page = n * PAGES / CLIENTS;
                    while !*over.borrow() {
                        page = (page + 1) % PAGES;
                        let least = truth.least(page);
                        match client.ask(Request::get(&path(page))).await {
                            Ok(answer) => {
                                truth.judge(page, least, &name, &answer);
                                tally.answers += 1;
                                tally.hits += usize::from(answer.field("x-cache") == "HIT");
                            }
                            Err(error) => {
                                truth.complain(format!("page {page} of {name}: {error}"));
                                return tally;
                            }
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                    tally
                });
            }
        }
        Self { truth: truth.clone(), over, clients }
    }

    /// Ends it; every request was answered, and none with what was purged.
    pub(crate) async fn end(self) -> Tally {
        self.over.send_replace(true);
        let tallies = self.clients.join_all().await;
        self.truth.assert_kept();
        for tally in &tallies {
            assert!(tally.answers > 20 && tally.hits > 0, "too little was asked: {tallies:?}");
        }
        let sum = |sum: Tally, one: &Tally| Tally {
            answers: sum.answers + one.answers,
            hits: sum.hits + one.hits,
        };
        tallies.iter().fold(Tally::default(), sum)
    }
}
