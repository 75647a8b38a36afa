//! The command line of `operator`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde::Deserialize;
use translate::Authority;
use wire::zones::{AnswerLimits, NameServer, Probe, Router, Zone};

use crate::build::Settings;

/// Blue Origin's operator: makes pods, Services and documents of EdgePools and OriginShields, and brings PurgeRequests
/// and BanRules to every node.
///
/// Several may run: one leads, the others wait. Without any, traffic goes on and changes wait.
#[derive(Clone, Debug, Parser)]
#[command(name = "operator", version)]
pub struct Options {
    /// The image of the program edge, for the pods that it makes
    #[arg(long, value_name = "IMAGE")]
    pub edge_image: String,

    /// The image of the program shield
    #[arg(long, value_name = "IMAGE")]
    pub shield_image: String,

    /// When pods fetch their image [default: what Kubernetes does]
    #[arg(long, value_name = "POLICY", value_parser = ["Always", "IfNotPresent", "Never"])]
    pub image_pull_policy: Option<String>,

    /// A Secret, in each pool's namespace, with which pods fetch their image; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub image_pull_secret: Vec<String>,

    /// The namespaces whose resources it looks after, with commas between them [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub namespaces: Vec<String>,

    /// Its own namespace, where its lease and the zones are [default: that of its pod]
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Its own name among those that want to lead [default: the host's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The Lease by which one of several leads
    #[arg(long, value_name = "NAME", default_value = "blue-origin-operator")]
    pub lease: String,

    /// The ServiceAccount in its own namespace with which that is deleted [default: it stays]
    #[arg(long, value_name = "NAME")]
    pub lease_owner: Option<String>,

    /// The invalidation log, as the operator reaches it: redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://
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

    /// The Secret, in each pool's namespace, whose key `url` has the invalidation log for pods [default: each pod
    /// has a log of its own, and no purge reaches it]
    #[arg(long, value_name = "NAME")]
    pub log_secret: Option<String>,

    /// That Secret's key `ca.crt` has the certificates to trust for the log
    #[arg(long, requires = "log_secret")]
    pub log_secret_ca: bool,

    /// The Secret, in each pool's namespace, whose key `token` opens the admin API of pods [default: it is closed]
    #[arg(long, value_name = "NAME")]
    pub admin_token_secret: Option<String>,

    /// The ConfigMap in its own namespace that gets the zones for GeoDNS [default: none]
    #[arg(long, value_name = "NAME")]
    pub zones_configmap: Option<String>,

    /// The labels of GeoDNS' pods, in its own namespace, which are made to look at new zones at once: `app=geodns,tier=dns`
    /// [default: they find out within a minute and a half]
    #[arg(long, value_name = "LABELS", requires = "zones_configmap")]
    pub geodns_selector: Option<String>,

    /// What GeoDNS answers for with authority, as YAML: zones, nameServer, probe, router, limits
    #[arg(long, value_name = "FILE", requires = "zones_configmap")]
    pub authority: Option<PathBuf>,

    /// Seconds between a pod's SIGTERM and the end of accepting, for Services and load balancers to notice
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub drain_notice: u64,

    /// Where health, metrics and /debug/snapshot are; [::]:9090 is every address, of IPv4 too
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    pub admin: SocketAddr,

    /// Holds the bearer token for /debug/snapshot, watched for changes; without it that is closed
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// Log lines for people instead of JSON
    #[arg(long)]
    pub log_text: bool,
}

/// Why the file of the authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be read.
    #[error("{0}: cannot be read: {1}")]
    Read(PathBuf, std::io::Error),
    /// It is not what it should be; with line and column.
    #[error("{0}: {1}")]
    Text(PathBuf, String),
    /// A GeoDNS would refuse it.
    #[error("GeoDNS cannot answer: {0}; say it in the file of --authority")]
    Unusable(String),
}

/// [`Authority`] as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Written {
    zones: BTreeMap<String, Zone>,
    name_server: NameServer,
    probe: Option<Probe>,
    router: Option<Router>,
    limits: AnswerLimits,
}

impl Default for Written {
    fn default() -> Self {
        let Authority { zones, name_server, probe, router, limits } = Authority::default();
        Self { zones, name_server, probe, router, limits }
    }
}

impl Options {
    /// What pods are made with; `monitors`: the cluster knows ServiceMonitors.
    pub fn settings(&self, monitors: bool) -> Settings {
        Settings {
            edge_image: self.edge_image.clone(),
            shield_image: self.shield_image.clone(),
            pull_policy: self.image_pull_policy.clone(),
            pull_secrets: self.image_pull_secret.clone(),
            log_secret: self.log_secret.clone(),
            log_ca: self.log_secret_ca,
            log_prefix: self.log_prefix.clone(),
            admin_secret: self.admin_token_secret.clone(),
            drain_notice: self.drain_notice,
            monitors,
        }
    }

    /// Its own namespace: given, or that of its pod, or `default`.
    pub fn own_namespace(&self) -> String {
        const MOUNTED: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
        let mounted = || std::fs::read_to_string(MOUNTED).ok().map(|text| text.trim().to_owned());
        self.namespace.clone().or_else(mounted).unwrap_or_else(|| "default".to_owned())
    }

    /// Its own name: given, or the host's, in any case with something that no other has.
    pub fn identity(&self) -> std::io::Result<String> {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = self.name.clone().unwrap_or_else(host);
        Ok(format!("{}_{}", name.trim(), runtime::random::hex()?))
    }

    /// What GeoDNS answers for.
    ///
    /// # Errors
    /// When the file cannot be used, or no pool could be answered for with it.
    pub fn read_authority(&self) -> Result<Authority, AuthorityError> {
        let authority = self.authority.as_deref().map_or_else(|| Ok(Authority::default()), read)?;
        if self.zones_configmap.is_some() {
            let usable = authority.check();
            usable.map_err(|error| AuthorityError::Unusable(error.to_string()))?;
        }
        Ok(authority)
    }
}

fn read(path: &Path) -> Result<Authority, AuthorityError> {
    let text = runtime::file::read_text(path)
        .map_err(|error| AuthorityError::Read(path.to_owned(), error))?;
    let written: Written = serde_saphyr::from_str(&text)
        .map_err(|error| AuthorityError::Text(path.to_owned(), error.to_string()))?;
    let Written { zones, name_server, probe, router, limits } = written;
    Ok(Authority { zones, name_server, probe, router, limits })
}

#[cfg(test)]
mod tests;
