//! Where a GeoDNS meets the others and finds what edges say.

use std::path::PathBuf;

use anyhow::Context;
use bus::redis::{RedisBus, RedisSettings, url_in};
use clap::Args;

/// The invalidation log of the network, which several GeoDNS also meet at.
#[derive(Clone, Debug, Args)]
pub struct LogOptions {
    /// The log's Redis, where edges say how they are and the replicas of this GeoDNS what they see: redis://, rediss://
    /// (TLS), redis+sentinel:// or redis+cluster:// [default: none, and what it sees itself counts]
    #[arg(long, alias = "redis", value_name = "URL", conflicts_with = "log_file")]
    pub log: Option<String>,

    /// Holds that URL, so that its password shows in no list of processes
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// The head of the log's keys: several networks may share a Redis
    #[arg(long, value_name = "PREFIX", default_value = "blue-origin")]
    pub log_prefix: String,

    /// Certificates (PEM) to trust for the log, instead of the well-known ones
    #[arg(long, value_name = "FILE")]
    pub log_ca: Option<PathBuf>,

    /// Its name among the replicas; no other may have it [default: the host's name]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
}

fn name(text: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if text.is_empty() || text.len() > 63 || !text.bytes().all(fits) {
        return Err("must be 1 to 63 letters, digits, '-', '.' or '_'".into());
    }
    Ok(text.to_owned())
}

impl LogOptions {
    /// The name: given, or the host's; `geodns` when that is no name either.
    pub fn name(&self) -> String {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let given = self.name.clone().or_else(host).unwrap_or_default();
        name(given.trim()).unwrap_or_else(|_| "geodns".to_owned())
    }

    /// The log, if there is to be one; in a runtime only. One that is away is connected to in the background.
    ///
    /// # Errors
    /// When the file or the URL cannot be read.
    pub fn open(&self) -> anyhow::Result<Option<RedisBus>> {
        let url = match (&self.log, &self.log_file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => url_in(file)?,
            (None, None) => return Ok(None),
        };
        let (prefix, ca) = (self.log_prefix.clone(), self.log_ca.clone());
        let settings = RedisSettings { url, prefix, ca, ..RedisSettings::default() };
        Ok(Some(RedisBus::connect(settings).context("the invalidation log cannot be used")?))
    }
}

#[cfg(test)]
mod tests;
