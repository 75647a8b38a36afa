//! What the tests need inside of a cluster besides the CDN, in one image:
//!
//! - `stage origin`: the demonstration origin; `GET /asked` tells how many requests it had, itself not counted;
//! - `stage idle`: nothing, until it is ended: a place to ask from;
//! - `stage ask URL HOST [NAME: VALUE]`: asks a server for a page of a host, with a field; prints the status, the fields
//!   and the body;
//! - `stage dns SERVER NAME CLIENT`: asks GeoDNS as a client of that address; prints the addresses in order;
//! - `stage load URL HOST SERVER NAME`: asks both again and again, until its input ends; prints that it
//!   begins, and in the end what failed.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::routing::get;
use e2e::client::{Request, ask};
use e2e::{dns, stage};
use local::demo_origin::{Asked, router};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// Longer than any answer that the tests wait for.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let said = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["origin"] => return origin().await,
        ["idle"] => {
            ended()?.await;
            return Ok(());
        }
        ["ask", url, host] => question(url, host, None).await?,
        ["ask", url, host, field] => question(url, host, Some(field)).await?,
        ["dns", server, name, client] => addresses(server, name, client.parse()?).await?,
        ["load", url, host, server, name] => {
            let (page, server) = (stage::Page::of(url, host)?, stage::resolve(server).await?);
            writeln!(std::io::stdout(), "asking")?;
            stage::load(page, server, name).await.to_string()
        }
        _ => bail!("usage: stage origin | idle | ask … | dns … | load …; the source tells"),
    };
    Ok(std::io::stdout().write_all(said.as_bytes())?)
}

/// When it is told to end: the first process of a pod ends by a signal only if it asked for it.
fn ended() -> anyhow::Result<impl Future<Output = ()>> {
    let mut end = signal(SignalKind::terminate())?;
    Ok(async move {
        end.recv().await;
    })
}

async fn origin() -> anyhow::Result<()> {
    let asked = Asked::default();
    let count = asked.clone();
    let site = router(asked)
        .route("/asked", get(move || async move { count.count().to_string() }))
        .route("/readyz", get(|| async { "ready\n" }));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080)).await?;
    Ok(axum::serve(listener, site).with_graceful_shutdown(ended()?).await?)
}

/// The answer as text: a line with the status, one for each field, an empty one, the body.
async fn question(url: &str, host: &str, field: Option<&str>) -> anyhow::Result<String> {
    let page = stage::Page::of(url, host)?;
    let mut request = page.request().field("connection", "close");
    if let Some((name, value)) = field.and_then(|field| field.split_once(": ")) {
        request = request.field(name, value);
    }
    let answer = timeout(PATIENCE, asked(&page.server, request)).await.context("no answer")??;
    let fields: String = answer.fields.0.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
    Ok(format!("{}\n{fields}\n{}", answer.status, answer.text()))
}

async fn asked(server: &str, request: Request) -> anyhow::Result<e2e::client::Answer> {
    Ok(ask(stage::resolve(server).await?, request).await?)
}

async fn addresses(server: &str, name: &str, client: Ipv4Addr) -> anyhow::Result<String> {
    let server: SocketAddr = stage::resolve(server).await?;
    let answer = dns::ask(server, name, client, PATIENCE).await?;
    anyhow::ensure!(answer.is_fine, "the server says that something is wrong");
    Ok(answer.addresses.iter().map(|address| format!("{address}\n")).collect())
}
