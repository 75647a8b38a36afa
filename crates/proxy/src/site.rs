//! A site's rules, made ready for requests: what the snapshot says in words, as the types that decide.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderName, StatusCode};
use semantics::{
    Coding, CodingSet, CompressionRules, Heuristic, KeyRules, NegativeTtls, Policy, QueryRule,
    SetCookie, VariantRules,
};
use tokio::sync::Semaphore;
use upstream::{EndpointError, Targets};
use wire::fleet::HOST;
use wire::snapshot::{self, Compression, DebugHeaders};

use crate::way::Way;

/// One site, ready.
#[derive(Debug)]
pub struct Site {
    pub(crate) spec: snapshot::Site,
    pub(crate) policy: Policy,
    pub(crate) key: KeyRules,
    pub(crate) variants: VariantRules,
    pub(crate) compression: Option<(CompressionRules, CodingSet)>,
    pub(crate) collapse_timeout: Duration,
    pub(crate) hit_for_miss: Duration,
    /// Places for requests that stopped waiting for another's fill.
    pub(crate) bypass: Arc<Semaphore>,
    /// Known once a node runs it.
    way: OnceLock<Way>,
}

impl Site {
    pub(crate) fn new(spec: snapshot::Site) -> Self {
        let compression = spec.compression.as_ref().map(|c| {
            let rules = CompressionRules { types: c.types.clone(), min_size: c.min_bytes };
            (rules, offered(c))
        });
        // A site that compresses asks for identity, so no answer depends on the client's codings.
        let encodings = match &compression {
            Some(_) => CodingSet::EMPTY.with(Coding::Identity),
            None => CodingSet::EMPTY,
        };
        Self {
            policy: policy(&spec.freshness),
            key: key(&spec.key),
            variants: VariantRules { encodings },
            compression,
            collapse_timeout: Duration::from_millis(spec.collapse.timeout_ms),
            hit_for_miss: Duration::from_secs(spec.collapse.hit_for_miss_seconds.into()),
            bypass: Arc::new(Semaphore::new(spec.collapse.max_bypass as usize)),
            way: OnceLock::new(),
            spec,
        }
    }

    /// Where its requests go; nowhere until a node runs it.
    pub(crate) fn way(&self) -> &Way {
        self.way.get_or_init(|| Way::nowhere(&self.spec))
    }

    /// Whether a request gets the debug fields of O4.
    pub(crate) fn shows_debug(&self, asked: bool) -> bool {
        match self.spec.headers {
            DebugHeaders::Never => false,
            DebugHeaders::OnRequest => asked,
            DebugHeaders::Always => true,
        }
    }
}

fn offered(compression: &Compression) -> CodingSet {
    [
        (Coding::Br, compression.br.is_some()),
        (Coding::Zstd, compression.zstd.is_some()),
        (Coding::Gzip, compression.gzip.is_some()),
    ]
    .into_iter()
    .filter_map(|(coding, on)| on.then_some(coding))
    .collect()
}

fn policy(rules: &snapshot::FreshnessRules) -> Policy {
    let seconds = |s: u32| Duration::from_secs(s.into());
    let mut negative = NegativeTtls::off();
    for (status, ttl) in &rules.negative_ttl_seconds {
        if let Ok(status) = StatusCode::from_u16(*status) {
            negative.set(status, seconds(*ttl));
        }
    }
    Policy {
        heuristic: rules
            .heuristic
            .map(|h| Heuristic { percent: h.percent, cap: seconds(h.cap_seconds) }),
        set_cookie: match rules.set_cookie {
            snapshot::SetCookie::RequirePermission => SetCookie::RequirePermission,
            snapshot::SetCookie::AsRfc => SetCookie::AsRfc,
            snapshot::SetCookie::Strip => SetCookie::Strip,
        },
        negative,
        default_stale_if_error: seconds(rules.stale_if_error_seconds),
        default_stale_while_revalidate: seconds(rules.stale_while_revalidate_seconds),
        honor_request_directives: rules.honor_request_directives,
        ..Policy::default()
    }
}

fn key(rules: &snapshot::KeyRules) -> KeyRules {
    KeyRules {
        sort_query: rules.sort_query,
        query: match &rules.query {
            snapshot::QueryRule::All => QueryRule::All,
            snapshot::QueryRule::None => QueryRule::None,
            snapshot::QueryRule::Keep(names) => QueryRule::Keep(names.clone()),
            snapshot::QueryRule::Drop(names) => QueryRule::Drop(names.clone()),
        },
        headers: rules
            .headers
            .iter()
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .collect(),
        cookies: rules.cookies.clone(),
    }
}

/// The sites of a pool, by host.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    all: Vec<Arc<Site>>,
    exact: HashMap<String, usize>,
    /// By what follows `*.`.
    wildcard: HashMap<String, usize>,
    /// Hosts that stand for the first site's first host: loopback addresses in `local`, names of single places.
    aliases: HashMap<String, (usize, String)>,
    /// What stands before and behind a host in the names of single places.
    around: Vec<(String, String)>,
}

impl Sites {
    pub(crate) fn new(specs: &[snapshot::Site], aliases: &[String], places: &[String]) -> Self {
        let mut sites = Self::default();
        for spec in specs {
            let index = sites.all.len();
            for host in &spec.hosts {
                match host.strip_prefix("*.") {
                    Some(suffix) => sites.wildcard.insert(suffix.to_owned(), index),
                    None => sites.exact.insert(host.clone(), index),
                };
            }
            sites.all.push(Arc::new(Site::new(spec.clone())));
        }
        let first = specs.first().and_then(|site| site.hosts.first());
        let mut stand_for_first: Vec<&String> = aliases.iter().collect();
        for name in places {
            match name.split_once(HOST) {
                Some((before, behind)) => sites.around.push((before.into(), behind.into())),
                None => stand_for_first.push(name),
            }
        }
        if let Some(first) = first {
            let known_as = |alias: &String| (alias.clone(), (0, first.clone()));
            sites.aliases = stand_for_first.into_iter().map(known_as).collect();
        }
        sites
    }

    /// All of them, in the order of the snapshot.
    pub(crate) fn all(&self) -> &[Arc<Site>] {
        &self.all
    }

    /// Lets the sites use the targets of a node.
    ///
    /// # Errors
    /// With the site whose origin cannot be used.
    pub(crate) fn connect(&self, targets: &Targets) -> Result<(), (String, EndpointError)> {
        for site in &self.all {
            let way = Way::new(&site.spec, targets).map_err(|e| (site.spec.name.clone(), e))?;
            // A configuration is of one node.
            let _ = site.way.set(way);
        }
        Ok(())
    }

    /// The site that serves `host` (normalised, without a port), and the host it is known by if that differs.
    pub(crate) fn find<'a>(&'a self, host: &'a str) -> Option<(&'a Arc<Site>, Option<&'a str>)> {
        let exact = |host: &str| self.exact.get(host).map(|index| &self.all[*index]);
        if let Some(site) = exact(host) {
            return Some((site, None));
        }
        if let Some((index, known_as)) = self.aliases.get(host) {
            return Some((&self.all[*index], Some(known_as)));
        }
        let within = |(before, behind): &(String, String)| {
            let inner = host.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
            Some((exact(inner)?, Some(inner)))
        };
        if let Some(found) = self.around.iter().find_map(within) {
            return Some(found);
        }
        let mut rest = host;
        while let Some((_, suffix)) = rest.split_once('.') {
            if let Some(index) = self.wildcard.get(suffix) {
                return Some((&self.all[*index], None));
            }
            rest = suffix;
        }
        None
    }
}

#[cfg(test)]
mod tests;
