//! Where Redis is, read from a URL. Whatever is wrong with the URL is said without showing it: it may hold a
//! password.

use std::path::{Path, PathBuf};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, TlsCertificates};

/// The log cannot be configured like this.
#[derive(Debug, thiserror::Error)]
pub enum BadUrl {
    /// The scheme is none of those known.
    #[error(
        "the URL of Redis must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://"
    )]
    Scheme,
    /// There is no host where one must be.
    #[error("the URL of Redis names no host")]
    Host,
    /// A host, a port, a database or the credentials cannot be read.
    #[error("the URL of Redis cannot be read: expected {0}")]
    Shape(&'static str),
    /// The master's name is missing.
    #[error(
        "the URL of Redis Sentinel must end with the master's name: redis+sentinel://host:26379/master"
    )]
    Master,
    /// A cluster has only one database.
    #[error("a Redis cluster has no databases: nothing may follow the hosts in its URL")]
    ClusterDatabase,
    /// Nothing may follow `?` or `#`.
    #[error("the URL of Redis takes no parameters")]
    Parameters,
    /// The file with it cannot be read.
    #[error("the URL of Redis cannot be read from {path}: {error}")]
    File {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The certificates cannot be read.
    #[error("certificates for Redis cannot be read from {path}: {error}")]
    Certificates {
        /// Where they should be.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// Certificates were given, and nothing uses them.
    #[error("certificates for Redis are of use only with rediss://")]
    CertificatesWithoutTls,
}

/// The URL of Redis that the file at `path` holds, so that no command line shows its password.
///
/// # Errors
/// When it cannot be read.
pub fn url_in(path: &Path) -> Result<String, BadUrl> {
    let bad = |error| BadUrl::File { path: path.to_owned(), error };
    Ok(runtime::file::read_text(path).map_err(bad)?.trim().to_owned())
}

/// Where Redis is.
pub(super) enum Place {
    /// One server.
    One(Box<Server>),
    /// Whichever server the sentinels name.
    Sentinel {
        /// The sentinels, with the credentials of the server.
        sentinels: Vec<Server>,
        /// The name of the master.
        master: String,
    },
    /// A cluster, of which these are some.
    Cluster(Vec<Server>),
}

/// One server and how to speak to it.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) info: ConnectionInfo,
    pub(super) certificates: Option<TlsCertificates>,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    One,
    Sentinel,
    Cluster,
}

impl Place {
    pub(super) fn parse(url: &str, ca: Option<&Path>) -> Result<Self, BadUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(BadUrl::Scheme)?;
        let (tls, kind) = match scheme {
            "redis" => (false, Kind::One),
            "rediss" => (true, Kind::One),
            "redis+sentinel" => (false, Kind::Sentinel),
            "rediss+sentinel" => (true, Kind::Sentinel),
            "redis+cluster" => (false, Kind::Cluster),
            "rediss+cluster" => (true, Kind::Cluster),
            _ => return Err(BadUrl::Scheme),
        };
        let certificates = ca.map(|path| certificates(path, tls)).transpose()?;
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, rest),
        };
        if rest.contains(['?', '#']) {
            return Err(BadUrl::Parameters);
        }
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (master, database) = match kind {
            Kind::One => ("", path),
            Kind::Sentinel => path.split_once('/').unwrap_or((path, "")),
            Kind::Cluster if path.is_empty() => ("", ""),
            Kind::Cluster => return Err(BadUrl::ClusterDatabase),
        };
        if kind == Kind::Sentinel && master.is_empty() {
            return Err(BadUrl::Master);
        }
        let port = if kind == Kind::Sentinel { 26_379 } else { 6_379 };
        let server = |host: &str| {
            let info = info(tls, credentials, host, port, database)?;
            Ok(Server { info, certificates: certificates.clone() })
        };
        let mut servers = hosts.split(',').map(server).collect::<Result<Vec<_>, BadUrl>>()?;
        match kind {
            Kind::Cluster => Ok(Self::Cluster(servers)),
            Kind::Sentinel => Ok(Self::Sentinel { sentinels: servers, master: master.to_owned() }),
            Kind::One if servers.len() > 1 => Err(BadUrl::Shape("one host")),
            Kind::One => servers.pop().map(|one| Self::One(Box::new(one))).ok_or(BadUrl::Host),
        }
    }
}

impl Server {
    /// The same way to speak, to another address.
    pub(super) fn at(&self, host: String, port: u16) -> Self {
        let addr = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Self { info: self.info.clone().set_addr(addr), certificates: self.certificates.clone() }
    }
}

fn info(
    tls: bool,
    credentials: Option<&str>,
    host: &str,
    default_port: u16,
    database: &str,
) -> Result<ConnectionInfo, BadUrl> {
    if host.is_empty() || host.starts_with(':') {
        return Err(BadUrl::Host);
    }
    // An IPv6 address is written in brackets and has colons of its own.
    let has_port = host.rsplit_once(']').map_or(host, |(_, rest)| rest).contains(':');
    let port = if has_port { String::new() } else { format!(":{default_port}") };
    if !database.is_empty() && database.parse::<u32>().is_err() {
        return Err(BadUrl::Shape("a number as database"));
    }
    let scheme = if tls { "rediss" } else { "redis" };
    let credentials = credentials.map(|text| format!("{text}@")).unwrap_or_default();
    let url = format!("{scheme}://{credentials}{host}{port}/{database}");
    let info = url
        .as_str()
        .into_connection_info()
        .map_err(|_| BadUrl::Shape("[user:password@]host[:port]"))?;
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(redis))
}

fn certificates(path: &Path, tls: bool) -> Result<TlsCertificates, BadUrl> {
    if !tls {
        return Err(BadUrl::CertificatesWithoutTls);
    }
    let bad = |error| BadUrl::Certificates { path: path.to_owned(), error };
    let pem = runtime::file::read(path).map_err(bad)?;
    if !pem.windows(11).any(|some| some == b"-----BEGIN ") {
        return Err(bad(std::io::Error::other("it holds no PEM")));
    }
    Ok(TlsCertificates { client_tls: None, root_cert: Some(pem) })
}

#[cfg(test)]
mod tests;
