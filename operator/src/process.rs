//! The process: options in, exit code out.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bus::redis::{RedisBus, RedisSettings, url_in};
use bus::{Bus, Sender, SenderSettings};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::runtime::events::{Recorder, Reporter};
use kube::{Api, Client};
use parking_lot::Mutex;
use runtime::admin::Admin;
use runtime::metrics::Metrics;
use runtime::token::{TokenError, TokenFile};
use runtime::{Clock, Drain, Readiness, Stage, drain};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::build::Kind;
use crate::lease::{Keeper, Lead, Lease};
use crate::metrics::Counts;
use crate::options::{AuthorityError, Options};
use crate::orders::{self, Log, OrdersContext};
use crate::page::{self, Shown};
use crate::set::geodns::GeoDns;
use crate::set::{self, SetContext};
use crate::world::{Watched, World, watching};

/// An order's own deadline counts, which is an hour at most.
const DEADLINE: Duration = Duration::from_secs(2 * 3600);

/// How often is looked whether everything was listed.
const LOOK: Duration = Duration::from_millis(50);

/// Runs an operator until SIGTERM or SIGINT, or until it lost the lead.
///
/// # Errors
/// When it cannot start, or must not lead any more: then it is to be started again.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let authority = options.read_authority()?;
    let token = options.admin_token_file.as_deref().map(TokenFile::open).transpose()?;
    let registry = Metrics::default();
    let counts = Counts::new(&registry)?;
    let listener = listen(options.admin)
        .with_context(|| format!("cannot listen on {}: choose another --admin", options.admin))?;
    listener.set_nonblocking(true)?;
    // The lease must be renewed while much is translated.
    let workers =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    workers.block_on(async {
        let stop = drain::stop_signal()?;
        let (clock, ready, drain) = (Clock::system(), Readiness::default(), Drain::new());
        let shown = Arc::new(Mutex::new(Shown::default()));
        let admin = Admin {
            metrics: registry.into(),
            ready: ready.clone(),
            drain: drain.clone(),
            token: token.as_ref().map(TokenFile::tokens),
        };
        let address = listener.local_addr()?;
        let router = admin.router(page::router(Arc::clone(&shown)));
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(runtime::admin::serve(listener, router, drain.clone()));
        if let Some(token) = token {
            tokio::spawn(token.watch(drain.clone()));
        }
        let client = Client::try_default().await.context("the API server is not known")?;
        let namespace = options.own_namespace();
        let identity = options.identity()?;
        tracing::info!(identity, namespace, admin = %address, "started");
        let settings = options.settings(has_monitors(&client).await);
        let world = Arc::new(World::default());
        watch(&client, &world, options, &counts, &ready, settings.monitors);
        let reporter = Reporter {
            controller: crate::names::OPERATOR.to_owned(),
            instance: Some(identity.clone()),
        };
        let recorder = Recorder::new(client.clone(), reporter);
        let geodns = options.zones_configmap.clone().map(|configmap| GeoDns {
            namespace: namespace.clone(),
            configmap,
            authority,
            selector: options.geodns_selector.clone(),
        });
        let set = SetContext {
            client: client.clone(),
            world: Arc::clone(&world),
            settings,
            geodns,
            recorder: recorder.clone(),
            clock: clock.clone(),
            counts: counts.clone(),
            shown,
        };
        let log = open_log(options, &clock)?;
        let orders = Arc::new(OrdersContext {
            client: client.clone(),
            world,
            log,
            recorder,
            clock: clock.clone(),
            counts: counts.clone(),
            writing: Semaphore::new(orders::WRITES),
            translating: Semaphore::new(1),
        });
        tokio::pin!(stop);
        tokio::select! {
            () = &mut stop => return end(&drain),
            () = listed(&ready) => {}
        }
        let config = kube::Config::infer().await.context("the API server is not known")?;
        let (name, me) = (options.lease.clone(), identity.clone());
        let owner = lease_owner(&client, &namespace, options.lease_owner.as_deref()).await;
        // With a connection of its own, so that no other request is in its way.
        let mut lease = Keeper::start(move || {
            let client = Client::try_from(config)?;
            Ok(Lease::new(client, &namespace, &name, &me, clock).owned(owner))
        })?;
        tokio::select! {
            () = &mut stop => {
                lease.end().await;
                return end(&drain);
            }
            leads = lease.until(Lead::Leading) => {
                anyhow::ensure!(leads, "the lease cannot be had");
            }
        }
        tracing::info!(identity, "leading");
        counts.leader.set(1);
        let mut work = JoinSet::new();
        work.spawn(set::run(set));
        work.spawn(orders::run(Arc::clone(&orders)));
        work.spawn(orders::forget_gone(Arc::clone(&orders), options.namespaces.clone()));
        work.spawn(orders::lift_gone(Arc::clone(&orders), options.namespaces.clone()));
        if let Some(log) = &orders.log {
            work.spawn(Arc::clone(&log.sender).run());
        }
        let lost = tokio::select! {
            () = &mut stop => None,
            _ = lease.until(Lead::Lost) => Some("the lead is lost"),
            died = ended(&mut work) => Some(died),
        };
        // Whoever takes over must be alone.
        work.shutdown().await;
        counts.leader.set(0);
        lease.end().await;
        match lost {
            None => end(&drain),
            Some(why) => anyhow::bail!("{why}"),
        }
    })
}

/// `[::]` is every address of both families, or of the one that there is.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(address);
    if bound.is_err() && address.ip() == Ipv6Addr::UNSPECIFIED {
        return TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).or(bound);
    }
    bound
}

/// A task for purges without a log ends by itself; any other that ends is lost.
async fn ended(work: &mut JoinSet<()>) -> &'static str {
    loop {
        match work.join_next().await {
            Some(Ok(())) => {}
            Some(Err(_)) => return "a task panicked",
            None => std::future::pending().await,
        }
    }
}

fn end(drain: &Drain) -> anyhow::Result<()> {
    drain.advance(Stage::Closed);
    tracing::info!("stopped");
    Ok(())
}

async fn listed(ready: &Readiness) {
    while !ready.unmet().is_empty() {
        tokio::time::sleep(LOOK).await;
    }
}

fn watch(
    client: &Client,
    world: &Arc<World>,
    options: &Options,
    counts: &Counts,
    ready: &Readiness,
    monitors: bool,
) {
    let everywhere = [None];
    let named: Vec<_> = options.namespaces.iter().cloned().map(Some).collect();
    let namespaces = if named.is_empty() { &everywhere[..] } else { &named[..] };
    let monitors = monitors.then_some(Watched::Objects(Kind::ServiceMonitor));
    for what in Watched::always().chain(monitors) {
        for namespace in namespaces {
            let place = namespace.as_deref().unwrap_or("all namespaces");
            let gate = ready.gate(&format!("{} in {place}", what.as_str()));
            tokio::spawn(watching::watch(
                client.clone(),
                Arc::clone(world),
                what,
                namespace.clone(),
                counts.clone(),
                gate,
            ));
        }
    }
}

/// The account with which the lease is to go. Without it there can be leading all the same.
async fn lease_owner(
    client: &Client,
    namespace: &str,
    account: Option<&str>,
) -> Option<OwnerReference> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    match accounts.get_metadata(account?).await {
        Ok(found) => Some(OwnerReference {
            api_version: "v1".to_owned(),
            kind: "ServiceAccount".to_owned(),
            name: found.metadata.name?,
            uid: found.metadata.uid?,
            ..OwnerReference::default()
        }),
        Err(error) => {
            tracing::warn!(%error, account, "the lease stays when its owner goes");
            None
        }
    }
}

/// Whether the cluster knows ServiceMonitors, as of now.
async fn has_monitors(client: &Client) -> bool {
    let found = client.list_api_group_resources("monitoring.coreos.com/v1").await;
    found.is_ok_and(|list| list.resources.iter().any(|resource| resource.kind == "ServiceMonitor"))
}

fn open_log(options: &Options, clock: &Clock) -> anyhow::Result<Option<Log>> {
    let url = match (&options.log, &options.log_file) {
        (Some(url), _) => url.clone(),
        (None, Some(file)) => url_in(file)?,
        (None, None) => return Ok(None),
    };
    let (prefix, ca) = (options.log_prefix.clone(), options.log_ca.clone());
    let settings = RedisSettings { url, prefix, ca, ..RedisSettings::default() };
    let bus = RedisBus::connect(settings).context("the invalidation log cannot be used")?;
    let bus: Arc<dyn Bus> = Arc::new(bus);
    let settings = SenderSettings { deadline: DEADLINE, ..SenderSettings::default() };
    let sender = Arc::new(Sender::new(Arc::clone(&bus), clock.clone(), settings));
    Ok(Some(Log { bus, sender }))
}

/// Whether an error is the fault of what the process was given: exit code 2.
pub fn is_bad_input(error: &anyhow::Error) -> bool {
    error.is::<AuthorityError>() || error.is::<TokenError>() || error.is::<bus::redis::BadUrl>()
}

#[cfg(test)]
mod tests;
