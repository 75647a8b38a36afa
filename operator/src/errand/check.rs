//! `operator check`: whether programs are ready, and the log lets us in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bus::Bus;
use bus::redis::{RedisBus, RedisSettings, url_in};
use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::ANSWER;

/// Between two looks at what is not ready.
const AGAIN: Duration = Duration::from_millis(500);
/// Bytes of an answer's beginning: its status is in there.
const HEAD: usize = 12;

/// What is to be ready.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// Pages that must answer 200, as http://HOST:PORT/readyz
    #[arg(value_name = "URL")]
    pub pages: Vec<String>,

    /// Holds the URL of the invalidation log, which must answer
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// Certificates (PEM) to trust for the log, instead of the well-known ones
    #[arg(long, value_name = "FILE")]
    pub log_ca: Option<PathBuf>,

    /// Seconds until it is said what is not ready
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub patience: u64,
}

/// What is not ready, and why.
#[derive(Debug, thiserror::Error)]
#[error("{what} is not ready: {why:#}")]
pub struct Unready {
    what: String,
    why: anyhow::Error,
}

impl Check {
    /// Waits until everything is ready.
    ///
    /// # Errors
    /// The first that is not ready in time.
    pub async fn run(&self) -> Result<(), Unready> {
        let end = Instant::now() + Duration::from_secs(self.patience);
        for url in &self.pages {
            self.wait(url, end, || page(url)).await?;
        }
        if let Some(file) = &self.log_file {
            let what = "the log";
            let unready = |why| Unready { what: what.to_owned(), why };
            let log = self.open_log(file).map_err(unready)?;
            // It is asked something that only who knows the password is told.
            let ask = || async { Ok(log.members().await.map(drop)?) };
            self.wait(what, end, ask).await?;
        }
        Ok(())
    }

    async fn wait<F, R>(&self, what: &str, end: Instant, ask: F) -> Result<(), Unready>
    where
        F: Fn() -> R,
        R: Future<Output = anyhow::Result<()>>,
    {
        loop {
            let answer = timeout(ANSWER, ask()).await.context("it does not answer");
            match answer.and_then(|answer| answer) {
                Ok(()) => {
                    tracing::info!("{what} is ready");
                    return Ok(());
                }
                Err(_) if Instant::now() < end => sleep(AGAIN).await,
                Err(why) => return Err(Unready { what: what.to_owned(), why }),
            }
        }
    }

    /// It connects by and by.
    fn open_log(&self, file: &Path) -> anyhow::Result<RedisBus> {
        let (url, ca) = (url_in(file)?, self.log_ca.clone());
        Ok(RedisBus::connect(RedisSettings { url, ca, ..RedisSettings::default() })?)
    }
}

/// One question, by hand: there is nothing else that needs a client of HTTP.
async fn page(url: &str) -> anyhow::Result<()> {
    let rest = url.strip_prefix("http://").context("it must begin with http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut stream = TcpStream::connect(address).await?;
    let asked = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await?;
    let mut head = [0; HEAD];
    stream.read_exact(&mut head).await?;
    let head = String::from_utf8_lossy(&head);
    anyhow::ensure!(head.starts_with("HTTP/1.") && head.ends_with(" 200"), "it answers {head}");
    Ok(())
}
