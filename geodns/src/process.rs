//! The process: options in, exit code out.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use dns::fleet::Fleet;
use runtime::admin::Admin;
use runtime::metrics::Metrics;
use runtime::token::{TokenError, TokenFile};
use runtime::{Clock, Drain, Readiness, drain};

use crate::files::{DatabaseFiles, LoadError, ZonesFile};
use crate::rings::FleetFile;
use crate::{DnsMetrics, Options, Service, Sockets, first_look, line, router, start, udp};

/// Runs a GeoDNS until SIGTERM or SIGINT and the end of its drain.
///
/// # Errors
/// When it cannot start.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut file = ZonesFile::new(&options.zones);
    let fleet = match file.load() {
        Err(error) if options.wait && error.is_missing() => {
            tracing::warn!(%error, "waiting for zones");
            Fleet::default()
        }
        loaded => loaded?,
    };
    let fleet = Arc::new(fleet);
    let token = options.admin_token_file.as_deref().map(TokenFile::open).transpose()?;
    let drain = Drain::new();
    let registry = Metrics::default();
    let metrics = DnsMetrics::new(&registry)?;
    let service = Service::new(Arc::clone(&fleet), Clock::system(), metrics, drain.clone());
    if let Some(path) = &options.state {
        service.maintenance.keep_in(path)?;
    }
    let rings = options.fleet.as_deref();
    let rings = rings.map(|path| FleetFile::open(path, options.wait)).transpose()?;
    let sockets = bind(options)?;
    let admin_listener = TcpListener::bind(options.admin)
        .with_context(|| format!("cannot listen on {}: choose another --admin", options.admin))?;
    admin_listener.set_nonblocking(true)?;
    let listening: Vec<_> = sockets.tcp.iter().filter_map(|l| l.local_addr().ok()).collect();
    let side = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    side.block_on(async {
        // Heard from here on: whoever reads that it serves may stop it at once.
        let stop = drain::stop_signal()?;
        let ready = Readiness::default();
        let gate = ready.gate("database of places");
        let (zones, judged) = (ready.gate("zones"), ready.gate("places"));
        let line = line::start(&service, &options.log)?;
        let fleet = Arc::new(ArcSwap::new(fleet));
        let running = start(&service, &fleet, sockets)?;
        tokio::spawn(first_look::look(Arc::clone(&service), Arc::clone(&fleet), judged));
        tokio::spawn(file.watch(Arc::clone(&service), fleet, zones));
        let places = DatabaseFiles::new(options.places.clone());
        tokio::spawn(places.watch(Arc::clone(&service), gate));
        if let Some((file, rings)) = rings {
            service.rings.store(Some(Arc::new(rings)));
            tokio::spawn(file.watch(Arc::clone(&service)));
        }
        let version = service.serving.load().view.fleet().version().to_owned();
        tracing::info!(version, listen = ?listening, threads = running.threads(), "serving");
        let admin = Admin {
            metrics: registry.into(),
            ready,
            drain: drain.clone(),
            token: token.as_ref().map(TokenFile::tokens),
        };
        let router = admin.router(router(Arc::clone(&service)));
        let listener = tokio::net::TcpListener::from_std(admin_listener)?;
        if let Some(token) = token {
            tokio::spawn(token.watch(drain.clone()));
        }
        tokio::spawn(runtime::admin::serve(listener, router, drain.clone()));
        stop.await;
        tracing::info!(notice_seconds = options.drain_notice, "draining");
        drain.run_down(Duration::from_secs(options.drain_notice)).await;
        running.ended().await?;
        line.leave().await;
        anyhow::Ok(())
    })?;
    tracing::info!("stopped");
    Ok(())
}

fn bind(options: &Options) -> anyhow::Result<Sockets> {
    let mut sockets = Sockets::default();
    for address in &options.listen {
        let taken = || format!("cannot listen on {address}: choose another --listen");
        let (udp, tcp) = bind_both(*address, options.workers()).with_context(taken)?;
        sockets.udp.extend(udp);
        sockets.tcp.push(tcp);
    }
    for address in &options.router {
        let taken = || format!("cannot listen on {address}: choose another --router");
        sockets.routers.push(TcpListener::bind(address).with_context(taken)?);
    }
    Ok(sockets)
}

/// One port over UDP and TCP. Where any will do, one that is free over UDP need not be over TCP.
fn bind_both(address: SocketAddr, count: usize) -> io::Result<(Vec<UdpSocket>, TcpListener)> {
    const TRIES: usize = 16;
    let mut left = if address.port() == 0 { TRIES } else { 1 };
    loop {
        let sockets = udp::bind(address, count)?;
        let port = sockets.first().map_or(Ok(address), UdpSocket::local_addr)?.port();
        left -= 1;
        match TcpListener::bind((address.ip(), port)) {
            Err(_) if left > 0 => {}
            bound => return Ok((sockets, bound?)),
        }
    }
}

/// Whether an error is the fault of what the process was given: exit code 2.
pub fn is_bad_input(error: &anyhow::Error) -> bool {
    error.is::<LoadError>() || error.is::<TokenError>() || error.is::<bus::redis::BadUrl>()
}
