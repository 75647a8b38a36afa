//! A GeoDNS at work, in this process or another one's.

use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use dns::fleet::Fleet;

use crate::service::Service;
use crate::{planning, probing, redirecting, tcp, udp};

/// Where queries come, bound by who starts it.
#[derive(Debug, Default)]
pub struct Sockets {
    /// As [`udp::bind`] makes them: a thread for each.
    pub udp: Vec<UdpSocket>,
    /// For all of them.
    pub tcp: Vec<TcpListener>,
    /// Where clients of the HTTP router come.
    pub routers: Vec<TcpListener>,
}

/// A GeoDNS that answers until the drain of its [`Service`] is at its end.
#[derive(Debug)]
pub struct Running {
    threads: Vec<JoinHandle<()>>,
}

/// Starts to answer, to plan and to probe in the current runtime, by whatever is in `fleet`.
///
/// # Errors
/// When a thread cannot be started.
pub fn start(
    service: &Arc<Service>,
    fleet: &Arc<ArcSwap<Fleet>>,
    sockets: Sockets,
) -> anyhow::Result<Running> {
    let threads = udp::start(service, sockets.udp)?;
    for listener in sockets.tcp {
        tokio::spawn(tcp::serve(Arc::clone(service), listener));
    }
    for listener in sockets.routers {
        tokio::spawn(redirecting::serve(Arc::clone(service), listener));
    }
    tokio::spawn(planning::plan_on(Arc::clone(service), Arc::clone(fleet)));
    tokio::spawn(probing::probe_on(Arc::clone(service), Arc::clone(fleet)));
    Ok(Running { threads })
}

impl Running {
    /// How many threads answer over UDP.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Waits for the end of its threads, which comes soon after the drain is closed.
    ///
    /// # Errors
    /// When one panicked.
    pub async fn ended(self) -> anyhow::Result<()> {
        let join = || self.threads.into_iter().all(|thread| thread.join().is_ok());
        anyhow::ensure!(tokio::task::spawn_blocking(join).await?, "a thread panicked");
        Ok(())
    }
}
