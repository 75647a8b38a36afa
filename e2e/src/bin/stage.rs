//! What the tests need inside of a cluster besides the CDN, in one image:
//!
//! - `stage origin`: the demonstration origin; `GET /asked` tells how many requests it had, itself not counted;
//! - `stage ask URL HOST`: asks a server for a page of a host; prints the status, the fields and the body.

use std::io::Write;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::routing::get;
use e2e::client::{Request, ask};
use local::demo_origin::{Asked, router};
use tokio::net::{TcpListener, lookup_host};
use tokio::signal::unix::{SignalKind, signal};

/// Longer than any answer that the tests wait for.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["origin"] => origin().await,
        ["ask", url, host] => {
            let answer = question(url, host);
            let answer = tokio::time::timeout(PATIENCE, answer).await.context("no answer")??;
            Ok(std::io::stdout().write_all(answer.as_bytes())?)
        }
        _ => bail!("usage: stage origin | stage ask URL HOST"),
    }
}

async fn origin() -> anyhow::Result<()> {
    let asked = Asked::default();
    let count = asked.clone();
    let site = router(asked)
        .route("/asked", get(move || async move { count.count().to_string() }))
        .route("/readyz", get(|| async { "ready\n" }));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080)).await?;
    // The first process of a pod ends by a signal only if it asked for it.
    let mut end = signal(SignalKind::terminate())?;
    let told = async move {
        end.recv().await;
    };
    Ok(axum::serve(listener, site).with_graceful_shutdown(told).await?)
}

/// The answer as text: a line with the status, one for each field, an empty one, the body.
async fn question(url: &str, host: &str) -> anyhow::Result<String> {
    let rest = url.strip_prefix("http://").with_context(|| format!("{url}: not http://…"))?;
    let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
    let server = if server.contains(':') { server.to_owned() } else { format!("{server}:80") };
    let address = lookup_host(&server).await?.next().with_context(|| format!("no {server}"))?;
    let request = Request::get(&format!("/{path}")).field("host", host);
    let answer = ask(address, request.field("connection", "close")).await?;
    let fields: String = answer.fields.0.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
    Ok(format!("{}\n{fields}\n{}", answer.status, answer.text()))
}
