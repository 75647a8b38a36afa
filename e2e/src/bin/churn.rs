//! Memory under churn: an edge of 64 MiB sees far more bytes of distinct objects than it holds, and its resident
//! memory is watched. Exit code 1 when it passes the bound.
//!
//! `cargo run --release -p e2e --bin churn -- [--gib 10] [--minutes 0]`, after `cargo build --release -p edge`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use runtime::Clock;
use tokio::net::TcpListener;

const BOUND: u64 = 64 << 20;
const HOST: &str = "churn.example.com";
const CLIENTS: u64 = 16;
/// What a client's connection and the one upstream for it may hold in this process: read-ahead and pieces under way.
const A_CLIENT: u64 = 512 << 10;
const LARGEST: usize = 8 << 20;

fn main() -> anyhow::Result<()> {
    let mut gib = 10;
    let mut minutes = 0;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a number"))?;
        let value: u64 = value.parse().with_context(|| format!("{name} {value}: not a number"))?;
        match name.as_str() {
            "--gib" => gib = value,
            "--minutes" => minutes = value,
            _ => bail!("{name}: unknown; there are --gib and --minutes"),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(churn(gib << 30, Duration::from_secs(minutes * 60)))
}

/// A process that does not outlive this one.
struct Edge(Child);

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Edge {
    fn start(origin: SocketAddr, listen: SocketAddr) -> anyhow::Result<Self> {
        let snapshot = serde_json::json!({
            "format": 1, "version": "churn", "pool": "churn",
            "cache": { "memoryBytes": BOUND },
            "sites": [{
                "name": "churn", "hosts": [HOST],
                "origins": [{ "url": format!("http://{origin}") }],
            }],
        });
        let file = std::env::temp_dir().join(format!("churn-{}.json", std::process::id()));
        std::fs::write(&file, snapshot.to_string())?;
        let program: PathBuf = std::env::current_exe()?.with_file_name("edge");
        let child = Command::new(&program)
            .arg("--config")
            .arg(&file)
            .args(["--listen", &listen.to_string(), "--admin", "127.0.0.1:0", "--threads", "1"])
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| {
                format!("{}: build it with `cargo build --release -p edge`", program.display())
            })?;
        Ok(Self(child))
    }

    /// Bytes of memory.
    fn resident(&self) -> anyhow::Result<u64> {
        e2e::memory::resident(self.0.id()).context("edge is gone")
    }
}

/// Most objects are small, most bytes are in large ones.
fn size_of(object: u64) -> usize {
    let mixed = object.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let within = |low: usize, high: usize| low + (mixed >> 20) as usize % (high - low);
    match mixed % 100 {
        0..50 => within(100, 8 << 10),
        50..85 => within(8 << 10, 128 << 10),
        85..99 => within(128 << 10, 1 << 20),
        _ => within(1 << 20, LARGEST),
    }
}

async fn origin(listener: TcpListener) {
    let pattern = Bytes::from(vec![b'x'; LARGEST]);
    while let Ok((stream, _)) = listener.accept().await {
        let pattern = pattern.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let object = request.uri().path().trim_start_matches("/o/").parse().unwrap_or(0);
            let body = Full::new(pattern.slice(..size_of(object)));
            async move { Response::builder().header("cache-control", "max-age=86400").body(body) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn churn(total: u64, at_least: Duration) -> anyhow::Result<()> {
    let clock = Clock::system();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin_address = listener.local_addr()?;
    tokio::spawn(origin(listener));
    let listen = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let edge = Edge::start(origin_address, listen)?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let base = edge.resident()?;
    let most = BOUND + BOUND / 4 + base + CLIENTS * A_CLIENT;

    let (sent, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let client: Client<HttpConnector, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, sent, next, clock) =
            (client.clone(), sent.clone(), next.clone(), clock.clone());
        clients.spawn(async move {
            while sent.load(Ordering::Relaxed) < total || clock.monotonic() < at_least {
                let object = next.fetch_add(1, Ordering::Relaxed);
                let uri = format!("http://{listen}/o/{object}");
                let request = Request::get(uri).header("host", HOST).body(Empty::new())?;
                let body = client.request(request).await?.into_body().collect().await?.to_bytes();
                if body.len() != size_of(object) {
                    bail!("object {object} came with {} bytes", body.len());
                }
                sent.fetch_add(body.len() as u64, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }

    let mut out = std::io::stdout();
    writeln!(
        out,
        "bound {} MiB, idle process {} MiB, may reach {} MiB",
        BOUND >> 20,
        base >> 20,
        most >> 20
    )?;
    let mut highest = 0;
    let mut reported = 0;
    while !clients.is_empty() {
        tokio::select! {
            Some(done) = clients.join_next() => done??,
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        let now = edge.resident()?;
        highest = highest.max(now);
        let second = clock.monotonic().as_secs();
        if second >= reported + 10 {
            reported = second;
            let gib = sent.load(Ordering::Relaxed) as f64 / (1u64 << 30) as f64;
            writeln!(
                out,
                "{second:>5} s  {gib:>6.2} GiB  resident {:>4} MiB  highest {:>4} MiB",
                now >> 20,
                highest >> 20
            )?;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    writeln!(out, "at rest {} MiB", edge.resident()? >> 20)?;
    let objects = next.load(Ordering::Relaxed);
    writeln!(
        out,
        "{objects} objects, {} GiB; highest {} MiB of {} MiB",
        sent.load(Ordering::Relaxed) >> 30,
        highest >> 20,
        most >> 20
    )?;
    if highest > most {
        bail!("resident memory passed the bound");
    }
    Ok(())
}
