//! The process: options in, exit code out.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use proxy::metrics::ProxyMetrics;
use proxy::{Node, admin};
use runtime::admin::Admin;
use runtime::metrics::Metrics;
use runtime::token::{TokenError, TokenFile};
use runtime::{Clock, Drain, Readiness, drain};

use crate::log;
use crate::options::NodeOptions;
use crate::program::Program;
use crate::reload::{self, LoadError};
use crate::workers::{self, Worker};

/// Runs `program` until SIGTERM or SIGINT and the end of its drain.
///
/// # Errors
/// When it cannot start, or a worker fails.
pub fn run(program: &Program, options: &NodeOptions) -> anyhow::Result<()> {
    let role = program.tier.as_str();
    let (snapshots, config) = reload::snapshot(&options.config, program.tier)?;
    let fleet = options.fleet.as_deref().map(reload::fleet).transpose()?;
    let token = options.admin_token_file.as_deref().map(TokenFile::open).transpose()?;
    let drain = Drain::new();
    let registry = Metrics::default();
    let metrics = ProxyMetrics::new(&registry)?;
    let name = options.node_name(role);
    let node = Node::new(&name, config, Clock::system(), metrics, drain.clone());
    match (&program.pop, &program.peers) {
        (Some(pop), Some(_)) => node.stand_in(pop),
        (Some(pop), None) => node.stand_at(pop),
        (None, _) => {}
    }
    let fleets = match fleet {
        Some((fleets, first)) => {
            node.set_fleet(first)?;
            Some(fleets)
        }
        None => None,
    };
    let listeners = workers::listeners(options.listen, options.workers(), "--listen")?;
    let listening = address(&listeners)?;
    let worker = |listener| Worker { main: (program.serve, listener), peers: None };
    let mut workers: Vec<_> = listeners.into_iter().map(worker).collect();
    let mut reached_by_peers = None;
    if let Some(peers) = &program.peers {
        let listeners = workers::listeners(peers.listen, options.workers(), "--peer-listen")?;
        reached_by_peers = address(&listeners)?;
        for (worker, listener) in workers.iter_mut().zip(listeners) {
            worker.peers = Some((peers.serve, listener));
        }
    }
    let admin_listener = proxy::serve::bind(options.admin, false)
        .with_context(|| format!("cannot listen on {}: choose another --admin", options.admin))?;
    let admin_address = admin_listener.local_addr()?;
    let notice = Duration::from_secs(options.drain_notice);
    let side = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    side.block_on(async {
        // Heard from here on: whoever reads that it serves may stop it at once.
        let stop = drain::stop_signal()?;
        let ready = Readiness::default();
        let line = log::connect(options, &node, &ready, role).await?;
        let threads = workers::start(&node, workers)?;
        announce(&node, listening, reached_by_peers, admin_address, threads.len());
        let guarded =
            admin::invalidation::router(line.desk.clone(), admin::debug::router(node.clone()));
        let admin = Admin {
            metrics: registry.into(),
            ready,
            drain: drain.clone(),
            token: token.as_ref().map(TokenFile::tokens),
        };
        let router = admin.router(guarded);
        let listener = tokio::net::TcpListener::from_std(admin_listener)?;
        let here = node.clone();
        let offer = move |found| reload::offer_snapshot(&here, found);
        tokio::spawn(node.upstreams.clone().watch());
        tokio::spawn(snapshots.watch(drain.clone(), offer));
        if let Some(fleets) = fleets {
            let here = node.clone();
            let offer = move |found| reload::offer_fleet(&here, found);
            tokio::spawn(fleets.watch(drain.clone(), offer));
        }
        if let Some(token) = token {
            tokio::spawn(token.watch(drain.clone()));
        }
        tokio::spawn(runtime::admin::serve(listener, router, drain.clone()));
        stop.await;
        tracing::info!(notice_seconds = notice.as_secs(), "draining");
        drain.run_down(notice).await;
        let served = tokio::task::spawn_blocking(|| join(threads)).await?;
        line.leave().await;
        served
    })?;
    tracing::info!("stopped");
    Ok(())
}

/// Waits until the workers have served their last requests.
fn join(threads: Vec<JoinHandle<io::Result<()>>>) -> anyhow::Result<()> {
    for thread in threads {
        match thread.join() {
            Ok(result) => result?,
            Err(_) => anyhow::bail!("a worker panicked"),
        }
    }
    Ok(())
}

/// Whether an error is the fault of what the process was given: exit code 2.
pub fn is_bad_input(error: &anyhow::Error) -> bool {
    error.is::<LoadError>() || error.is::<TokenError>() || error.is::<bus::redis::BadUrl>()
}

fn address(listeners: &[TcpListener]) -> io::Result<Option<SocketAddr>> {
    listeners.first().map(TcpListener::local_addr).transpose()
}

fn announce(
    node: &Node,
    listening: Option<SocketAddr>,
    peers: Option<SocketAddr>,
    admin: SocketAddr,
    workers: usize,
) {
    let config = node.config();
    tracing::info!(
        node = node.name,
        pool = config.snapshot().pool,
        version = config.snapshot().version,
        fleet = node.fleet().map(|fleet| fleet.version),
        listen = listening.map(|a| a.to_string()),
        peer_listen = peers.map(|a| a.to_string()),
        admin = %admin,
        workers,
        "serving"
    );
}
