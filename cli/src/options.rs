//! What can be said on the command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

/// Purges and bans what a Blue Origin CDN has stored, and tells how far that is, and where a URL is.
///
/// A purge or ban waits until every node has applied it. Exit code: 0 if so, 1 if not (the last line says
/// what to do), 2 for wrong usage.
#[derive(Clone, Debug, Parser)]
#[command(name = "blue-origin", version, after_help = TOKEN)]
pub(crate) struct Options {
    /// The admin API of any node, or of `local`
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8400")]
    pub(crate) api: String,

    /// A file with the token of the API [default: the variable BLUE_ORIGIN_TOKEN]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// What results look like
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,

    /// The same as --output json
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// How long to wait for completion, such as 90s or 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub(crate) timeout: Duration,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Options {
    /// What results look like, however that was said.
    pub(crate) fn form(&self) -> Output {
        if self.json { Output::Json } else { self.output }
    }
}

const TOKEN: &str = "The token is read from --token-file, or else from the variable BLUE_ORIGIN_TOKEN; \
    never give it as an argument, which everybody on the machine can read.";

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// What the API answered
    Json,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Purge what is stored, on every node
    #[command(subcommand)]
    Purge(Purge),
    /// Ban what was stored so far and looks like a pattern
    #[command(subcommand)]
    Ban(Ban),
    /// How far the log and the nodes are, or one order
    Status {
        /// The order, as a purge or ban told it
        id: Option<String>,
    },
    /// Where a URL is: stored or not, who owns it, and how a request for it goes on, as each node sees it; or, with
    /// --from, where DNS sends a client for it
    Where {
        /// Such as https://cdn.example.com/style.css
        url: String,
        /// Only this one of the nodes behind the API, and more of it
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
        /// Instead: which places DNS gives a client with this address, and why not the others
        #[arg(long, value_name = "ADDRESS", conflicts_with = "node")]
        from: Option<IpAddr>,
    },
    /// Give up a node that will not come back: purges no longer wait for it
    Forget {
        /// Its name, as `status` shows it
        node: String,
    },
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Purge {
    /// URLs with all their variants, whether http or https
    Url {
        /// Such as https://cdn.example.com/style.css
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
        #[command(flatten)]
        how: How,
    },
    /// Whatever has one of these tags (Surrogate-Key, Cache-Tag, Cache-Groups)
    Tag {
        /// Such as product-42
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
        #[command(flatten)]
        how: How,
    },
    /// Everything whose path begins with this
    Prefix {
        /// /img/ on every host, or https://cdn.example.com/img/ on one
        prefix: String,
        #[command(flatten)]
        how: How,
    },
    /// Everything
    All {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Copy, Clone, Debug, Default, Args)]
pub(crate) struct How {
    /// Mark as stale instead of removing: may be served once more while it is fetched anew
    #[arg(long)]
    pub(crate) soft: bool,

    /// Only count what matches
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Return as soon as the order is accepted, with exit code 0
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Ban {
    /// Add a ban; at least a path or a header must be given, and all that are must match
    Add(Box<BanAdd>),
    /// The bans there are
    List,
    /// End a ban; what it removed already stays removed
    Lift {
        /// As `ban add` and `ban list` tell it
        id: String,
        /// Return as soon as the order is accepted, with exit code 0
        #[arg(long)]
        no_wait: bool,
    },
}

#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true)
    .args(["path_glob", "path_prefix", "path_exact", "path_regex", "headers", "header_regexes"]))]
#[command(group = ArgGroup::new("path")
    .args(["path_glob", "path_prefix", "path_exact", "path_regex"]))]
pub(crate) struct BanAdd {
    /// Only on this host
    #[arg(long)]
    pub(crate) host: Option<String>,

    /// The path looks like this: * is anything without /, ** anything, ? one character
    #[arg(long, value_name = "GLOB")]
    pub(crate) path_glob: Option<String>,

    /// The path begins with this
    #[arg(long, value_name = "TEXT")]
    pub(crate) path_prefix: Option<String>,

    /// The path is this
    #[arg(long, value_name = "TEXT")]
    pub(crate) path_exact: Option<String>,

    /// The path matches this regular expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) path_regex: Option<String>,

    /// The stored response has this header, or has it with a value that looks like the glob
    #[arg(long = "header", value_name = "NAME[: GLOB]")]
    pub(crate) headers: Vec<String>,

    /// The same with a regular expression
    #[arg(long = "header-regex", value_name = "NAME: REGEX")]
    pub(crate) header_regexes: Vec<String>,

    /// How long the ban lasts, 1s to 720h
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) ttl: String,

    #[command(flatten)]
    pub(crate) how: How,
}

/// A number with `h`, `m`, `s` or `ms`, or of seconds; not none.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let bad = || format!("`{text}` is not a time; write it as 90s or 2m");
    let number: u32 = number.parse().map_err(|_| bad())?;
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad()),
    };
    match u64::from(number) * milliseconds {
        0 => Err("waiting for no time is --no-wait".to_owned()),
        time => Ok(Duration::from_millis(time)),
    }
}

#[cfg(test)]
mod tests;
