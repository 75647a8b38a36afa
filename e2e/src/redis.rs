//! A real `redis-server` of a test's own, which it may kill, stop and write to by hand.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::program::signal;

/// How long it may take to answer after its start.
const PATIENCE: Duration = Duration::from_secs(20);
/// Below those that the system gives to outgoing connections: nobody takes the port while the server is down.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

/// A server that keeps nothing on disk; killed when dropped.
pub struct Redis {
    child: Child,
    port: u16,
    /// Where it listens, as Redis takes it: addresses with spaces between them.
    bind: String,
}

impl Redis {
    /// The key of the log, as the programs name it.
    pub const LOG: &str = "{blue-origin}:log";

    /// On a free port of the loopback.
    ///
    /// # Errors
    /// When it is not installed or does not answer.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(&[]).await
    }

    /// Also at addresses other than loopback.
    ///
    /// # Errors
    /// When it is not installed or does not answer.
    pub async fn start_at(more: &[Ipv4Addr]) -> io::Result<Self> {
        let addresses = [Ipv4Addr::LOCALHOST].iter().chain(more).map(ToString::to_string);
        let bind = addresses.collect::<Vec<_>>().join(" ");
        let port = free_port()?;
        let redis = Self { child: run(port, &bind)?, port, bind };
        redis.answers().await?;
        Ok(redis)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// For `--log`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Its port, at every address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it as a crash does; with it goes all that it knew.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// Starts one that knows nothing in the place of one that was killed.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn start_empty(&mut self) -> io::Result<()> {
        self.child = run(self.port, &self.bind)?;
        self.answers().await
    }

    /// Stops it as it stands: connections stay, answers do not come.
    ///
    /// # Errors
    /// When it is gone.
    pub fn pause(&self) -> io::Result<()> {
        signal(&self.child, "STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it is gone.
    pub fn resume(&self) -> io::Result<()> {
        signal(&self.child, "CONT")
    }

    /// Has it do a command, given word by word, and gives the first line or string of the answer.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn command(&self, words: &[&str]) -> io::Result<String> {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        let mut stream = BufReader::new(TcpStream::connect(self.address()).await?);
        stream.write_all(text.as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.starts_with('$') {
            line.clear();
            stream.read_line(&mut line).await?;
        } else if line.is_empty() || line.starts_with('-') {
            return Err(io::Error::other(format!("{words:?}: {line}")));
        }
        Ok(line.trim_start_matches([':', '+']).trim_end().to_owned())
    }

    /// Which version it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn version(&self) -> io::Result<String> {
        let info = "return redis.call('INFO', 'server'):match('redis_version:([^\\r\\n]+)')";
        self.command(&["EVAL", info, "0"]).await
    }

    async fn answers(&self) -> io::Result<()> {
        let answered = tokio::time::timeout(PATIENCE, async {
            while self.command(&["PING"]).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        answered.await.map_err(|_| io::Error::other("redis-server does not answer"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(port: u16, bind: &str) -> io::Result<Child> {
    let home: PathBuf = std::env::temp_dir();
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .args(["--protected-mode", "no", "--loglevel", "warning", "--bind"])
        .args(bind.split(' '))
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::other(format!("redis-server (apt install it): {error}")))
}

/// Another one for each server, of this process or of one that runs beside it.
fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..u32::from(PORTS) {
        let step = NEXT.fetch_add(1, Relaxed).wrapping_add(std::process::id().wrapping_mul(37));
        let offset = u16::try_from(step % u32::from(PORTS)).map_err(io::Error::other)?;
        let port = FIRST_PORT + offset;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
