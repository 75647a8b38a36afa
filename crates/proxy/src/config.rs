//! What a node is, and the configuration it runs on now.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use cache::{Cache, Order, Settings};
use ipnet::IpNet;
use parking_lot::Mutex;
use runtime::{Clock, Drain};
use semantics::Timestamp;
use upstream::Targets;
use wire::Snapshot;
use wire::snapshot::{CacheSettings, Limits, Tier};

use crate::body::AllUnsent;
use crate::follow::{Demand, Standing};
use crate::front_door::FrontDoor;
use crate::metrics::ProxyMetrics;
use crate::rings::{Hot, Rings};
use crate::serve::Open;
use crate::site::{Site, Sites};
use crate::way::Way;

/// A snapshot cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An origin is not usable.
    #[error("site {site}: {error}")]
    Origin {
        /// The site.
        site: String,
        /// What is wrong with its origin.
        error: upstream::EndpointError,
    },
}

/// One configuration, ready for requests. Replaced as a whole; a request keeps the one it began with.
#[derive(Debug)]
pub struct Config {
    pub(crate) snapshot: Snapshot,
    pub(crate) sites: Sites,
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) limits: Arc<Limits>,
}

impl Config {
    /// Makes `snapshot` ready. `aliases` are hosts that stand for the first site's first host.
    ///
    /// # Errors
    /// When an origin cannot be used.
    pub fn new(snapshot: Snapshot, aliases: &[String]) -> Result<Self, ConfigError> {
        let nobodys = Targets::new();
        for site in &snapshot.sites {
            Way::new(site, &nobodys)
                .map_err(|error| ConfigError::Origin { site: site.name.clone(), error })?;
        }
        let sites = Sites::new(&snapshot.sites, aliases, &snapshot.place_names);
        let limits = Arc::new(snapshot.limits.clone());
        Ok(Self { trusted: snapshot.trusted_proxies.clone(), limits, sites, snapshot })
    }

    /// The snapshot as it was read.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn site<'a>(&'a self, host: &'a str) -> Option<(&'a Arc<Site>, Option<&'a str>)> {
        self.sites.find(host)
    }
}

/// Everything that the workers of one node share.
pub struct Node {
    /// Names the node in `Cache-Status` and `Via`: a token.
    pub name: String,
    /// Names the network in `CDN-Loop` (RFC 8586): towards clients, and towards tiers. Passing each once is
    /// no loop.
    cdn_ids: [String; 2],
    /// The store.
    pub cache: Arc<Cache>,
    /// The clock.
    pub clock: Clock,
    /// Counts.
    pub metrics: ProxyMetrics,
    /// How far the process is on its way out.
    pub drain: Drain,
    /// Where it stands with the invalidation log.
    pub log: Standing,
    /// Everybody that it asks, and what it knows of them.
    pub upstreams: Arc<Targets>,
    pub(crate) rings: ArcSwap<Rings>,
    /// What the fleet calls the ring that it is on itself.
    pub(crate) own_ring: OnceLock<String>,
    /// The point of presence that it stands in.
    pub(crate) pop: OnceLock<String>,
    /// What clients ask of it.
    pub(crate) demand: Demand,
    pub(crate) hot: Mutex<Hot>,
    /// The connections of clients, and of tiers: each kind has room of its own.
    open: [Open; 2],
    /// What is relayed and waits for clients.
    pub(crate) unsent: AllUnsent,
    /// Lets PURGE in on the clients' port; without it that is 405.
    pub purges: OnceLock<FrontDoor>,
    config: ArcSwap<Config>,
}

impl Node {
    /// A node called `name` that runs `config`.
    pub fn new(
        name: &str,
        config: Config,
        clock: Clock,
        metrics: ProxyMetrics,
        drain: Drain,
    ) -> Arc<Self> {
        let cache = Cache::new(settings(&config.snapshot.cache));
        metrics.watch(&cache);
        let pool = token(&config.snapshot.pool);
        let between = match config.snapshot.tier {
            Tier::Edge => "peer",
            Tier::Shield => "shield",
        };
        let upstreams = Targets::new();
        if let Err((site, error)) = config.sites.connect(&upstreams) {
            // It was tried when the configuration was made.
            tracing::error!(site, %error, "no way to an origin");
        }
        let own_ring = OnceLock::new();
        if config.snapshot.tier == Tier::Shield {
            let _ = own_ring.set(format!("shield/{}", config.snapshot.pool));
        }
        let open = [Open::new(&metrics.serve), Open::new(&metrics.serve)];
        let node = Arc::new(Self {
            name: name.to_owned(),
            cdn_ids: [format!("{pool}.blue-origin"), format!("{pool}.{between}.blue-origin")],
            cache,
            clock,
            metrics,
            drain,
            log: Standing::default(),
            upstreams,
            rings: ArcSwap::default(),
            own_ring,
            pop: OnceLock::new(),
            demand: Demand::default(),
            hot: Mutex::default(),
            open,
            unsent: AllUnsent::default(),
            purges: OnceLock::new(),
            config: ArcSwap::from_pointee(config),
        });
        node.metrics.watch_ways(&node);
        node
    }

    /// Its name in `CDN-Loop`, as one that is asked by clients or by tiers.
    pub(crate) fn cdn_id(&self, by_tiers: bool) -> &str {
        let [clients, tiers] = &self.cdn_ids;
        if by_tiers { tiers } else { clients }
    }

    /// The connections that it has with clients or with tiers.
    pub(crate) fn open(&self, of_tiers: bool) -> &Open {
        let [clients, tiers] = &self.open;
        if of_tiers { tiers } else { clients }
    }

    /// The configuration now.
    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    pub(crate) fn config_guard(&self) -> arc_swap::Guard<Arc<Config>> {
        self.config.load()
    }

    /// Runs `config` from the next request on. What is stored stays.
    pub fn reload(&self, config: Config) {
        if config.snapshot.cache != self.config.load().snapshot.cache {
            self.cache.resize(settings(&config.snapshot.cache));
        }
        // Before the old one goes, so that what is known of those who stay is kept.
        if let Err((site, error)) = config.sites.connect(&self.upstreams) {
            tracing::error!(site, %error, "no way to an origin");
        }
        let (old, new) = (self.config.load_full(), Arc::new(config));
        self.config.store(new.clone());
        // What is stored under other keys than those of now, no order by URL would find.
        for host in moved_hosts(&old.snapshot, &new.snapshot) {
            if let Err(error) = self.apply_here(&Order::host(&host)) {
                tracing::error!(host, %error, "what is stored under old keys stays");
            }
        }
    }

    /// Whether nothing stored may be used without validation: the log is lost, and the lease is over.
    pub(crate) fn unvouched(&self) -> bool {
        self.log.unvouched(|| self.clock.monotonic())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now_millis())
    }
}

/// Hosts whose responses are stored under other keys now, or by no site any more.
fn moved_hosts(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let keyed = |snapshot: &Snapshot, host: &str| {
        let mut sites = snapshot.sites.iter();
        sites.find(|site| site.hosts.iter().any(|h| h == host)).map(|site| site.key.clone())
    };
    let hosts = old.sites.iter().flat_map(|site| &site.hosts);
    hosts.filter(|host| keyed(old, host) != keyed(new, host)).cloned().collect()
}

fn settings(cache: &CacheSettings) -> Settings {
    Settings {
        capacity: cache.memory_bytes,
        eviction: cache.eviction,
        max_object: cache.max_object_bytes,
        max_variants: cache.max_variants as usize,
    }
}

/// `text` with everything that a token (RFC 9110 §5.6.2) cannot hold replaced.
fn token(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    text.chars().map(|c| if fits(c) { c } else { '-' }).collect()
}
