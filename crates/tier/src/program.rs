//! What makes one tier's program of the process, and its way from the command line to the exit code.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use proxy::Node;
use runtime::logs::{self, Format};
use wire::snapshot::Tier;

use crate::options::NodeOptions;
use crate::process;

/// The program of one tier.
#[derive(Clone, Debug)]
pub struct Program {
    /// The tier, whose snapshots alone it runs; its word is the program's name.
    pub tier: Tier,
    /// Serves the node on the listener of one worker, in that worker's runtime.
    pub serve: Serve,
    /// The point of presence that it stands in.
    pub pop: Option<String>,
    /// Others of its place, which it shares its memory with; only with a place.
    pub peers: Option<Peers>,
}

/// Serves a node on the listener of one worker, in that worker's runtime.
pub type Serve = fn(Arc<Node>, TcpListener) -> Serving;

/// A node's place among others of its tier.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Where the others reach it.
    pub listen: SocketAddr,
    /// Serves them.
    pub serve: Serve,
}

/// A worker's serving, until its listener is closed and drained.
pub type Serving = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Runs `program` as its whole process: logs, runs, and gives the exit code: 2 when what it was given is at
/// fault, 1 when something else is.
pub fn main(program: &Program, options: &NodeOptions) -> ExitCode {
    logs::init(if options.log_text { Format::Text } else { Format::Json }, "info");
    match process::run(program, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(program, &error);
            if process::is_bad_input(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a program goes to its user, not to a log"
)]
fn complain(program: &Program, error: &anyhow::Error) {
    eprintln!("{}: {error:#}", program.tier.as_str());
}
