//! The command line of `local`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Runs every PoP of every EdgePool, and every OriginShield, as real servers on loopback, with a demo origin
/// behind them.
///
/// With base port N: status and admin on N, edges from N+1 and shields from N+60 in the order of the files, DNS on
/// N+53, the demo origin on N+90; the nth edge of the mth PoP is on N+80 of 127.m.0.n, too, which is what DNS says. The files are watched: what changes is taken over, what is broken is reported and changes nothing.
#[derive(Clone, Debug, Parser)]
#[command(name = "local", version, args_conflicts_with_subcommands = true)]
#[command(after_help = "Example: local examples/quickstart")]
pub struct Options {
    /// Something else than running the CDN
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What to run
    #[command(flatten)]
    pub run: Run,
}

/// Other things that `local` does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Prints the snapshot that a pool's edges run on, for `edge --config`
    Snapshot(Run),
}

/// Resources and where their content comes from.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// YAML files, or folders of them
    #[arg(value_name = "DIR|FILE", required = true)]
    pub paths: Vec<PathBuf>,

    /// Your own site instead of the demo origin: http://host[:port] or https://host[:port]
    #[arg(long, value_name = "URL")]
    pub origin: Option<String>,

    /// A database of places in MaxMind's format, for DNS, watched for changes; may be given more than once, the first
    /// that has an address counts
    #[arg(long, value_name = "FILE")]
    pub places: Vec<PathBuf>,

    /// The first of the ports
    #[arg(long, value_name = "N", default_value_t = 8400, value_parser = clap::value_parser!(u16).range(1..=65_400))]
    pub base_port: u16,

    /// The token of the admin API [default: a new one at each start]
    #[arg(long, value_name = "TOKEN", env = "BLUE_ORIGIN_ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,
}
