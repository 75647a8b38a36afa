//! One edge before one origin under one load.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::client::{Client, HOST, Request, ask};
use e2e::program::Program;
use e2e::workers::{Manner, Visit, Workers};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};

use crate::figures::{Figures, PHASES};
use crate::{MOST, QUEUE, RATE, SERVICE, WORKERS};

/// The part of each phase that is left out of the figures: who found out what by then.
pub(crate) const SETTLING: f64 = 1.0 / 3.0;
/// How often the edge is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Everything that was seen. All times count from `begun`.
pub(crate) struct Run {
    pub(crate) adaptive: bool,
    pub(crate) seconds: u32,
    pub(crate) begun: Instant,
    pub(crate) asked: Vec<Asked>,
    pub(crate) looks: Vec<Look>,
    pub(crate) visits: Vec<Visit>,
}

/// One request and what came of it.
pub(crate) struct Asked {
    pub(crate) sent: Duration,
    pub(crate) took: Duration,
    pub(crate) status: u16,
}

/// The edge's limit at some time.
pub(crate) struct Look {
    pub(crate) at: Duration,
    pub(crate) limit: f64,
}

/// A folder that goes when this is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Run {
    /// Phases of so many seconds, with the adaptive limit or the fixed one.
    pub(crate) async fn new(adaptive: bool, seconds: u32) -> anyhow::Result<Self> {
        let origin = Workers::start(WORKERS).await?;
        origin.set(Manner { service: SERVICE, ..Manner::default() });
        let folder = std::env::temp_dir().join(format!("adaptive-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let folder = Folder(folder);
        let config = folder.0.join("snapshot.json");
        let limits = json!({
            "maxConcurrency": MOST, "queue": QUEUE, "adaptive": adaptive, "minConcurrency": 4,
        });
        let snapshot = json!({
            "format": 1, "version": "adaptive", "pool": "adaptive",
            "sites": [{
                "name": "adaptive", "hosts": [HOST], "limits": limits,
                "origins": [{ "url": origin.url() }],
            }],
        });
        std::fs::write(&config, snapshot.to_string())?;
        let path = std::env::current_exe()?.with_file_name("edge");
        ensure!(path.exists(), "build it first: cargo build --release -p edge");
        let config = config.display().to_string();
        let arguments = [
            ["--config", &config],
            ["--name", "edge-0"],
            ["--listen", "127.0.0.1:0"],
            ["--admin", "127.0.0.1:0"],
            ["--threads", "1"],
        ];
        let mut program = Program::start_at(&path, &arguments.concat())?;
        let line: Value = serde_json::from_str(&program.line("\"serving\"").await?)?;
        let at = |name: &str| -> anyhow::Result<SocketAddr> {
            Ok(line[name].as_str().context("no address")?.parse()?)
        };
        let (address, admin) = (at("listen")?, at("admin")?);

        let begun = Instant::now();
        let looks: Arc<Mutex<Vec<Look>>> = Arc::default();
        let looking = tokio::spawn(look(admin, begun, looks.clone()));
        let phase = Duration::from_secs(u64::from(seconds));
        let asking = tokio::spawn(load(address, begun, phase * PHASES.len() as u32));
        sleep_until(begun + phase).await;
        let away = origin.take_away(WORKERS / 2).await?;
        sleep_until(begun + phase * 2).await;
        drop(away);
        let asked = asking.await??;
        looking.abort();
        let looks = std::mem::take(&mut *looks.lock().unwrap_or_else(PoisonError::into_inner));
        ensure!(!looks.is_empty(), "the edge's limit was not to be had");
        Ok(Self { adaptive, seconds, begun, asked, looks, visits: origin.visits() })
    }

    pub(crate) fn name(&self) -> String {
        match self.adaptive {
            true => "adaptive limit".to_owned(),
            false => format!("fixed limit of {MOST}"),
        }
    }

    /// The length of a phase.
    pub(crate) fn phase(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }

    pub(crate) fn figures(&self) -> Vec<Figures> {
        (0..PHASES.len()).map(|phase| Figures::of(self, phase)).collect()
    }
}

/// Requests at [`RATE`], whatever becomes of those before.
async fn load(address: SocketAddr, begun: Instant, length: Duration) -> anyhow::Result<Vec<Asked>> {
    let idle: Arc<Mutex<Vec<Client>>> = Arc::default();
    let mut asking = JoinSet::new();
    let mut asked = Vec::new();
    let mut tick = interval(Duration::from_secs(1) / RATE);
    for number in 0_u64.. {
        tick.tick().await;
        if begun.elapsed() >= length {
            break;
        }
        let idle = idle.clone();
        asking.spawn(async move {
            let sent = begun.elapsed();
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut client = match free {
                Some(client) => client,
                None => Client::connect(address).await?,
            };
            let answer = client.ask(Request::get(&format!("/{number}"))).await?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
            anyhow::Ok(Asked { sent, took: begun.elapsed() - sent, status: answer.status })
        });
        while let Some(done) = asking.try_join_next() {
            asked.push(done??);
        }
    }
    while let Some(done) = asking.join_next().await {
        asked.push(done??);
    }
    Ok(asked)
}

/// Writes the edge's limit down, again and again.
async fn look(admin: SocketAddr, begun: Instant, looks: Arc<Mutex<Vec<Look>>>) {
    loop {
        let answer = ask(admin, Request::get("/metrics").field("host", "localhost")).await;
        let limit = answer.ok().and_then(|answer| limit(&answer.text()));
        let look = limit.map(|limit| Look { at: begun.elapsed(), limit });
        looks.lock().unwrap_or_else(PoisonError::into_inner).extend(look);
        sleep(LOOK).await;
    }
}

fn limit(metrics: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.starts_with("cdn_upstream_limit{"))?;
    line.rsplit(' ').next()?.parse().ok()
}
