//! The process: options in, exit code out.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use proxy::metrics::ProxyMetrics;
use proxy::{Node, admin};
use runtime::admin::Admin;
use runtime::metrics::Metrics;
use runtime::token::Token;
use runtime::{Clock, Drain, drain};

use crate::options::Options;
use crate::reload::ConfigFile;
use crate::workers;

/// Runs an edge until SIGTERM or SIGINT and the end of its drain.
///
/// # Errors
/// When it cannot start, or a worker fails.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let file = ConfigFile::new(&options.config, Vec::new());
    let config = file.load()?;
    let token = match &options.admin_token_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{}: admin token cannot be read", path.display()))?;
            Some(Token::new(&text).with_context(|| format!("{}: is empty", path.display()))?)
        }
    };
    let drain = Drain::new();
    let registry = Metrics::default();
    let metrics = ProxyMetrics::new(&registry)?;
    let node = Node::new(&options.node_name(), config, Clock::system(), metrics, drain.clone());
    let listeners = workers::listeners(options.listen, options.workers())?;
    let listening = listeners.first().map(std::net::TcpListener::local_addr).transpose()?;
    let admin_listener = proxy::serve::bind(options.admin, false)
        .with_context(|| format!("cannot listen on {}: choose another --admin", options.admin))?;
    let admin_address = admin_listener.local_addr()?;
    let threads = workers::start(&node, listeners)?;
    announce(&node, listening, admin_address, threads.len());
    let notice = Duration::from_secs(options.drain_notice);
    let side = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    side.block_on(async {
        let guarded = admin::router(node.clone());
        let router =
            Admin { metrics: registry.into(), drain: drain.clone(), token }.router(guarded);
        let listener = tokio::net::TcpListener::from_std(admin_listener)?;
        tokio::spawn(file.watch(node.clone()));
        tokio::spawn(runtime::admin::serve(listener, router, drain.clone()));
        drain::stop_signal().await?;
        tracing::info!(notice_seconds = notice.as_secs(), "draining");
        drain.run_down(notice).await;
        anyhow::Ok(())
    })?;
    for thread in threads {
        match thread.join() {
            Ok(result) => result?,
            Err(_) => anyhow::bail!("a worker panicked"),
        }
    }
    tracing::info!("stopped");
    Ok(())
}

fn announce(node: &Node, listening: Option<SocketAddr>, admin: SocketAddr, workers: usize) {
    let config = node.config();
    tracing::info!(
        node = node.name,
        pool = config.snapshot().pool,
        version = config.snapshot().version,
        listen = listening.map(|a| a.to_string()),
        admin = %admin,
        workers,
        "serving"
    );
}
