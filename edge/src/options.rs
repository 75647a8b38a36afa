//! The command line of `edge`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

/// Blue Origin's edge: a shared HTTP cache in front of the origins that its snapshot names.
///
/// SIGTERM drains: readiness goes, clients are asked to leave, what is in flight is finished. A changed
/// snapshot is taken over without a restart; a broken one is reported and the last good one goes on.
#[derive(Clone, Debug, Parser)]
#[command(name = "edge", version)]
pub struct Options {
    /// The pool's snapshot, as YAML or JSON; watched for changes
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Where clients connect, over HTTP/1.1 or cleartext HTTP/2
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Where health, metrics and the admin API are
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    pub admin: SocketAddr,

    /// Holds the bearer token of the admin API, watched for changes; without it that API is closed
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// The invalidation log: redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://
    /// [default: one of this edge alone]
    #[arg(long, value_name = "URL", conflicts_with = "log_file")]
    pub log: Option<String>,

    /// Holds the URL of the invalidation log, so that its password shows in no list of processes
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// The head of the log's keys: several networks may share a Redis
    #[arg(long, value_name = "PREFIX", default_value = "blue-origin")]
    pub log_prefix: String,

    /// Certificates (PEM) to trust for the log, instead of the well-known ones
    #[arg(long, value_name = "FILE")]
    pub log_ca: Option<PathBuf>,

    /// This node's name in Cache-Status and Via; no other node of the log may have it, since purges are
    /// acknowledged by name [default: the host's name]
    #[arg(long, value_name = "NAME", value_parser = node_name)]
    pub name: Option<String>,

    /// Worker threads, each with its own listener and connections [default: one per core]
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZeroUsize>,

    /// Seconds between SIGTERM and the end of accepting, for load balancers to notice
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub drain_notice: u64,

    /// Log lines for people instead of JSON
    #[arg(long)]
    pub log_text: bool,
}

/// A name must be a token, since header fields carry it.
fn node_name(text: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if text.is_empty() || text.len() > 63 || !text.bytes().all(fits) {
        return Err("must be 1 to 63 letters, digits, '-', '.' or '_'".into());
    }
    Ok(text.to_owned())
}

impl Options {
    /// The node's name: given, or the host's.
    pub fn node_name(&self) -> String {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let given = self.name.clone().or_else(host).unwrap_or_default();
        node_name(given.trim()).unwrap_or_else(|_| "edge".to_owned())
    }

    /// How many workers.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or_else(cores, NonZeroUsize::get)
    }
}
