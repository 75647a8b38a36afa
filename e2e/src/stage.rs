//! What a client inside of a cluster does: asks pages and names, again and again, and counts what failed.

use std::fmt;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

use crate::client::{Answer, Client, Request};
use crate::dns;

/// An answer that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(40);
/// Clients that connect for each request: a balancer sends each where it likes.
const SHORT: usize = 3;
/// Clients that keep their connection for as long as the server does.
const LONG: usize = 3;
/// What resolvers wait for an answer before they ask again.
const RESOLVER: Duration = Duration::from_secs(1);
/// How often they ask before they tell their clients that there is no such thing.
const TRIES: usize = 3;
/// Failures that are told in words.
const TOLD: usize = 10;

/// A page of a host on a server.
#[derive(Clone, Debug)]
pub struct Page {
    /// `host:port`.
    pub server: String,
    path: String,
    host: String,
}

impl Page {
    /// The page at `url`, which is asked for as one of `host`.
    ///
    /// # Errors
    /// When it does not begin with `http://`.
    pub fn of(url: &str, host: &str) -> anyhow::Result<Self> {
        let rest = url.strip_prefix("http://").with_context(|| format!("{url}: not http://…"))?;
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        let server = if server.contains(':') { server.into() } else { format!("{server}:80") };
        Ok(Self { server, path: format!("/{path}"), host: host.to_owned() })
    }

    /// GET.
    pub fn request(&self) -> Request {
        Request::get(&self.path).field("host", &self.host)
    }
}

/// The address of `host:port`.
///
/// # Errors
/// When it has none.
pub async fn resolve(server: &str) -> anyhow::Result<SocketAddr> {
    lookup_host(server).await?.next().with_context(|| format!("no {server}"))
}

/// What became of a load.
#[derive(Debug, Default)]
pub struct Tally {
    pages: AtomicU64,
    names: AtomicU64,
    failed: AtomicU64,
    told: Mutex<Vec<String>>,
}

impl Tally {
    fn failed(&self, why: impl fmt::Display) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD {
            told.push(why.to_string());
        }
    }
}

/// `pages 120 names 17 failed 1`, and why in lines of their own.
impl fmt::Display for Tally {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [pages, names, failed] =
            [&self.pages, &self.names, &self.failed].map(|count| count.load(Ordering::Relaxed));
        writeln!(to, "pages {pages} names {names} failed {failed}")?;
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().try_for_each(|why| writeln!(to, "{why}"))
    }
}

/// Asks for `page` and, at `server`, for `name`, until the standard input ends.
pub async fn load(page: Page, server: SocketAddr, name: &str) -> Arc<Tally> {
    let tally = Arc::new(Tally::default());
    let mut clients = JoinSet::new();
    for _ in 0..SHORT {
        clients.spawn(short(page.clone(), Arc::clone(&tally)));
    }
    for _ in 0..LONG {
        clients.spawn(long(page.clone(), Arc::clone(&tally)));
    }
    clients.spawn(names(server, name.to_owned(), Arc::clone(&tally)));
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    clients.shutdown().await;
    tally
}

async fn short(page: Page, tally: Arc<Tally>) {
    loop {
        let request = page.request().field("connection", "close");
        let answer = async { connect(&page).await?.ask(request).await };
        judge(timeout(PATIENCE, answer).await, &tally);
        sleep(PAUSE).await;
    }
}

async fn long(page: Page, tally: Arc<Tally>) {
    let mut kept: Option<Client> = None;
    loop {
        let again = kept.is_some();
        let answer = async {
            let mut client = match kept.take() {
                Some(client) => client,
                None => connect(&page).await?,
            };
            let answer = client.ask(page.request()).await?;
            Ok((client, answer))
        };
        match timeout(PATIENCE, answer).await {
            // RFC 9112, section 9.3.1: a request on a connection that was just closed is sent again.
            Ok(Err(_)) if again => continue,
            Ok(Ok((client, answer))) => {
                let stays = !answer.field("connection").contains("close");
                kept = stays.then_some(client);
                judge(Ok(Ok(answer)), &tally);
            }
            Ok(Err(error)) => judge(Ok(Err(error)), &tally),
            Err(late) => judge(Err(late), &tally),
        }
        sleep(PAUSE).await;
    }
}

async fn connect(page: &Page) -> std::io::Result<Client> {
    let server = resolve(&page.server).await.map_err(std::io::Error::other)?;
    Client::connect(server).await
}

fn judge(answer: Result<std::io::Result<Answer>, Elapsed>, tally: &Tally) {
    tally.pages.fetch_add(1, Ordering::Relaxed);
    match answer {
        Ok(Ok(answer)) if answer.status == 200 && !answer.cut => {}
        Ok(Ok(answer)) => tally.failed(format!(
            "status {}, cut: {}, cache-status: {}",
            answer.status,
            answer.cut,
            answer.field("cache-status")
        )),
        Ok(Err(error)) => tally.failed(error),
        Err(late) => tally.failed(late),
    }
}

async fn names(server: SocketAddr, name: String, tally: Arc<Tally>) {
    let client = Ipv4Addr::new(194, 158, 0, 1);
    loop {
        tally.names.fetch_add(1, Ordering::Relaxed);
        let mut why = String::new();
        for _ in 0..TRIES {
            match dns::ask(server, &name, client, RESOLVER).await {
                Ok(answer) if answer.is_fine && !answer.addresses.is_empty() => {
                    why.clear();
                    break;
                }
                Ok(answer) => why = format!("{answer:?}"),
                Err(error) => why = error.to_string(),
            }
        }
        if !why.is_empty() {
            tally.failed(format!("name: {why}"));
        }
        sleep(PAUSE).await;
    }
}
