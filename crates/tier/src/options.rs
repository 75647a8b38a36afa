//! The command line of a tier's program.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

/// The options that every tier's program has. What `--listen` and `--admin` are by default, and who is meant to
/// come there, is each program's own to say.
#[derive(Clone, Debug, Args)]
pub struct NodeOptions {
    /// The snapshot to run on, as YAML or JSON; watched for changes
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Who is there: the rings' members, as YAML or JSON; watched for changes [default: nobody]
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,

    /// Where requests come in, over HTTP/1.1 or cleartext HTTP/2
    #[arg(long, value_name = "ADDRESS", required = false)]
    pub listen: SocketAddr,

    /// Where health, metrics and the admin API are
    #[arg(long, value_name = "ADDRESS", required = false)]
    pub admin: SocketAddr,

    /// Holds the bearer token of the admin API, watched for changes; without it that API is closed
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// The invalidation log: redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://
    /// [default: one of this node alone]
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

impl NodeOptions {
    /// The node's name: given, or the host's; `otherwise` when that is no name either.
    pub(crate) fn node_name(&self, otherwise: &str) -> String {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let given = self.name.clone().or_else(host).unwrap_or_default();
        node_name(given.trim()).unwrap_or_else(|_| otherwise.to_owned())
    }

    /// How many workers.
    pub(crate) fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or_else(cores, NonZeroUsize::get)
    }
}

#[cfg(test)]
mod tests;
