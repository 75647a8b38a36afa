//! Worker threads: one single-threaded runtime each, with its own listener on the shared port.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use proxy::Node;
use proxy::serve::bind;

use crate::program::Serve;

/// Where one worker serves.
pub(crate) struct Worker {
    /// Those that the tier is there for.
    pub(crate) main: (Serve, TcpListener),
    /// The others of its place.
    pub(crate) peers: Option<(Serve, TcpListener)>,
}

/// One listener a worker. All are bound before the first serves, so that a port in use is an error.
pub(crate) fn listeners(
    address: SocketAddr,
    workers: usize,
    option: &str,
) -> anyhow::Result<Vec<TcpListener>> {
    let taken = || format!("cannot listen on {address}: choose another {option}");
    // The kernel lets several processes share a port that all ask for; asking alone first finds them.
    let first = bind(address, false).with_context(taken)?;
    let address = first.local_addr()?;
    if workers == 1 {
        return Ok(vec![first]);
    }
    drop(first);
    (0..workers).map(|_| bind(address, true).with_context(taken)).collect()
}

/// Starts them, each on a thread of its own.
pub(crate) fn start(
    node: &Arc<Node>,
    workers: Vec<Worker>,
) -> io::Result<Vec<JoinHandle<io::Result<()>>>> {
    let spawn = |(index, worker): (usize, Worker)| {
        let node = node.clone();
        std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(worker.run(node))
        })
    };
    workers.into_iter().enumerate().map(spawn).collect()
}

impl Worker {
    async fn run(self, node: Arc<Node>) -> io::Result<()> {
        let (serve, listener) = self.main;
        let main = serve(node.clone(), listener);
        match self.peers {
            None => main.await,
            Some((serve, listener)) => {
                tokio::try_join!(main, serve(node, listener)).map(|((), ())| ())
            }
        }
    }
}
