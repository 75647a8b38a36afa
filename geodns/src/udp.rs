//! Queries over UDP: a thread for each socket, the sockets of one address sharing its port.
//!
//! A thread blocks in the kernel until there is a query, takes with it those that came too, and sends the answers
//! together. A busy one waits a little for more of them. What that saves is in `docs/design/0005-geodns.md`.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use arc_swap::Cache;
use dns::answer::{Transport, asks_for, slip};
use dns::limit::{Limited, Limiter};
use runtime::Stage;
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity, set_current_timer_slack};
use smallvec::SmallVec;
use socket2::{Domain, Protocol, Socket, Type};

use batch::Batch;
use company::Company;

use crate::service::Service;

mod batch;
mod company;

/// How soon an idle thread notices the end.
const LOOK: Duration = Duration::from_millis(200);
/// A busy one looks after so many queries.
const OFTEN: usize = 1_024;
/// What waits for a thread, so that a burst is not lost.
const RECEIVE_BUFFER: usize = 1 << 20;
/// Nanoseconds by which the kernel may end a thread's waits later.
const SLACK: u64 = 1_000;
/// Buckets of a thread's rate limiter: 1.5 MB.
const BUCKETS: usize = 1 << 16;

/// Sockets for one address.
///
/// # Errors
/// When it cannot be bound.
pub fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<UdpSocket>> {
    // The kernel lets several processes share a port that all ask for; asking alone first finds them.
    let first = bind_one(address, false)?;
    let address = first.local_addr()?;
    if count == 1 {
        return Ok(vec![first]);
    }
    drop(first);
    (0..count).map(|_| bind_one(address, true)).collect()
}

fn bind_one(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    // The kernel may give less.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    forbid_fragments(&socket, address)?;
    socket.bind(&address.into())?;
    socket.set_read_timeout(Some(LOOK))?;
    Ok(socket.into())
}

/// Answers are never fragmented, so that nobody can slip other fragments in (RFC 9715): they are small, and what is larger
/// comes over TCP. What the network says of its smaller packets is not believed, as anybody could.
fn forbid_fragments(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)?,
        SocketAddr::V6(_) => set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::PROBE)?,
    }
    Ok(())
}

/// Starts a thread for each socket. They end when the process is closed.
///
/// # Errors
/// When a thread cannot be started.
pub fn start(
    service: &Arc<Service>,
    sockets: Vec<UdpSocket>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    // With fewer threads than cores they would stay where somebody else has work.
    let cores = Some(cores()).filter(|cores| cores.len() == sockets.len()).unwrap_or_default();
    let spawn = |(index, socket): (usize, _)| {
        let seed = getrandom::u64().context("no random numbers")?;
        let service = Arc::clone(service);
        let builder = std::thread::Builder::new().name(format!("udp-{index}"));
        let core = cores.get(index).copied();
        Ok(builder.spawn(move || {
            pin(core);
            serve(&service, &socket, seed);
        })?)
    };
    sockets.into_iter().enumerate().map(spawn).collect()
}

/// Those that this process may run on.
fn cores() -> Vec<usize> {
    let own = sched_getaffinity(None).ok();
    own.map_or_else(Vec::new, |own| (0..CpuSet::MAX_CPU).filter(|core| own.is_set(*core)).collect())
}

/// Keeps this thread on a core, with what its cache has. It serves as well without.
fn pin(core: Option<usize>) {
    let Some(core) = core else { return };
    let mut only = CpuSet::new();
    only.set(core);
    if let Err(error) = sched_setaffinity(None, &only) {
        tracing::debug!(%error, core, "cannot stay on a core");
    }
}

fn serve(service: &Service, socket: &UdpSocket, seed: u64) {
    let mut serving = Cache::new(&service.serving);
    let mut places = Cache::new(&service.places);
    let mut limits = serving.load().view.fleet().limits().clone();
    let mut limiter = Limiter::new(limits.clone(), BUCKETS, seed);
    let mut batch = Batch::new();
    let mut since = 0;
    let mut company = Company::default();
    // A wait of microseconds is to end after that, and not be put together with others. It serves as well without.
    let _ = set_current_timer_slack(NonZeroU64::new(SLACK));
    loop {
        let received = batch.receive(socket);
        since += received.as_ref().map_or(OFTEN, |count| *count);
        if since >= OFTEN {
            since = 0;
            if service.drain.stage() == Stage::Closed {
                return;
            }
            if limits != *serving.load().view.fleet().limits() {
                limits = serving.load().view.fleet().limits().clone();
                limiter.set_limits(limits.clone());
            }
        }
        let count = match received {
            Ok(count) => count,
            Err(error) => {
                complain(&error);
                continue;
            }
        };
        let (serving, places) = (serving.load(), places.load().as_deref());
        let now = service.clock.monotonic();
        if let Some(places) = places.filter(|_| count > 1) {
            let clients = (0..count).filter_map(|nth| {
                let (query, peer) = batch.query(nth)?;
                asks_for(query, peer.ip())
            });
            places.warm(&clients.collect::<SmallVec<[IpAddr; batch::MOST]>>());
        }
        for nth in 0..count {
            batch.answer(nth, |query, peer, out| {
                let ip = peer.ip();
                let answered = service.answer(serving, places, query, ip, Transport::Udp, out);
                if answered.length == 0 {
                    return 0;
                }
                let kind = answered.outcome.kind();
                let limited = limiter.check(ip, kind, answered.bucket, now);
                service.metrics.limited(limited);
                match limited {
                    Limited::Send => {
                        serving.sent(&answered);
                        answered.length
                    }
                    Limited::Slip => slip(&mut out[..answered.length]),
                    Limited::Drop => 0,
                }
            });
        }
        batch.send(socket, complain);
        if let Some(pause) = company.came(count, now) {
            std::thread::sleep(pause);
        }
    }
}

fn complain(error: &io::Error) {
    // Nobody asked for a while; or a client was gone before its answer, which the kernel tells the next call.
    let usual = [
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::Interrupted,
        ErrorKind::ConnectionRefused,
    ];
    if !usual.contains(&error.kind()) {
        tracing::debug!(%error, "udp");
    }
}
