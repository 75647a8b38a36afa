//! The command line of `geodns`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

mod log;

pub use log::LogOptions;

/// Blue Origin's GeoDNS: authoritative for the names of all pools, it sends each client to the PoPs that suit it best.
///
/// Changed files are taken over without a restart; a broken one is reported and the last good one goes on.
#[derive(Clone, Debug, Parser)]
#[command(name = "geodns", version)]
pub struct Options {
    /// The zones, pools and PoPs, as YAML or JSON; watched for changes
    #[arg(long, value_name = "FILE")]
    pub zones: PathBuf,

    /// A database of places in MaxMind's format, watched for changes; may be given more than once, the first that has
    /// an address counts
    #[arg(long, value_name = "FILE")]
    pub places: Vec<PathBuf>,

    /// Where queries come, over UDP and TCP; may be given more than once. On a machine with several addresses give
    /// each: answers leave from the address of their socket
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:5353")]
    pub listen: Vec<SocketAddr>,

    /// Where the HTTP router listens, which sends clients on to their PoPs; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    pub router: Vec<SocketAddr>,

    /// Who is there: lets `/where` name the edge that owns a URL; watched for changes
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,

    /// Waits for the files of `--zones` and `--fleet` while they are not there yet, instead of refusing to start; not
    /// ready until there are zones
    #[arg(long)]
    pub wait: bool,

    /// Keeps who was taken out by command, over restarts
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Where health, metrics and `/where` are
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    pub admin: SocketAddr,

    /// Holds the bearer token for `/where` and `/maintenance`, watched for changes; without it that is closed
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// Where it meets the others.
    #[command(flatten)]
    pub log: LogOptions,

    /// Threads for each address, each with its own socket [default: one per core]
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZeroUsize>,

    /// Seconds between SIGTERM and the end, for resolvers to notice
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub drain_notice: u64,

    /// Log lines for people instead of JSON
    #[arg(long)]
    pub log_text: bool,
}

impl Options {
    /// How many threads for each address.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or_else(cores, NonZeroUsize::get)
    }
}
