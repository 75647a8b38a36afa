//! Worker threads: one single-threaded runtime each, with its own listener on the shared port.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use proxy::Node;
use proxy::serve::bind;

use crate::program::Program;

/// One listener a worker. All are bound before the first serves, so that a port in use is an error.
pub(crate) fn listeners(address: SocketAddr, workers: usize) -> anyhow::Result<Vec<TcpListener>> {
    let taken = || format!("cannot listen on {address}: choose another --listen");
    // The kernel lets several processes share a port that all ask for; asking alone first finds them.
    let first = bind(address, false).with_context(taken)?;
    let address = first.local_addr()?;
    if workers == 1 {
        return Ok(vec![first]);
    }
    drop(first);
    (0..workers).map(|_| bind(address, true).with_context(taken)).collect()
}

/// Starts a worker for each listener.
pub(crate) fn start(
    program: &Program,
    node: &Arc<Node>,
    listeners: Vec<TcpListener>,
) -> io::Result<Vec<JoinHandle<io::Result<()>>>> {
    let spawn = |(index, listener)| {
        let (node, serve) = (node.clone(), program.serve);
        std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(node, listener))
        })
    };
    listeners.into_iter().enumerate().map(spawn).collect()
}
