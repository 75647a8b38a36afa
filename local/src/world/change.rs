//! Going over to other files while it runs, without a request that fails for it.
//!
//! What can fail comes first, and changes nothing. Then: newcomers serve before anybody is told of them, and
//! who leaves goes last, once nobody knows of it any more.

use std::time::Duration;

use proxy::Config;
use wire::Snapshot;
use wire::snapshot::Tier;

use super::*;

/// How long requests may be under way that go by what a server ran on before.
const UNDER_WAY: Duration = Duration::from_millis(100);

/// A server that runs on.
struct Stays {
    server: Server,
    snapshot: Snapshot,
    /// A shield's that edges may go by at once: it still has the sites that they may ask for.
    first: Option<Config>,
    /// What it runs on in the end, if that is another.
    last: Option<Config>,
    /// Where its peers are to reach it from now on.
    peers: Option<TcpListener>,
}

/// What becomes of whom.
#[derive(Default)]
struct Change {
    stays: Vec<Stays>,
    newcomers: Vec<Ready>,
    /// Newcomers with the name or the port of one that leaves.
    heirs: Vec<ServerPlan>,
    leavers: Vec<Server>,
    /// For DNS.
    pools: Vec<TranslatedPool>,
    numbers: Numbers,
}

impl World {
    /// Goes over to what is `wanted`: servers that stay take over their snapshot and keep what they stored,
    /// others come and go.
    ///
    /// # Errors
    /// When it cannot be run; then everything stays as it was.
    pub async fn apply(&self, wanted: impl Into<Wanted>) -> Result<(), WorldError> {
        let Change { mut stays, newcomers, heirs, leavers, pools, numbers } =
            self.change(wanted.into())?;
        let servers = stays.iter().map(|stays| &stays.server);
        let servers: Vec<_> =
            servers.chain(newcomers.iter().map(|ready| &ready.server)).cloned().collect();
        let router = self.dns.as_ref().map(|dns| dns.router);
        let answered = router.map(|router| answered(&pools, servers.iter(), router)).transpose()?;
        for Stays { server, first, peers, .. } in &mut stays {
            if let Some(config) = first.take() {
                server.node.reload(config);
            }
            if let Some(listener) = peers.take() {
                server.announce(&listener)?;
                server.open(listener).await;
            }
        }
        let staying = stays.iter().filter_map(|s| s.server.seat(&s.snapshot));
        let mut seats: Vec<_> = staying.chain(newcomers.iter().filter_map(Ready::seat)).collect();
        let fleet = fleet::fleet(seats.clone());
        for ready in newcomers {
            tell(&ready.server, &fleet)?;
            self.launch(ready).await;
        }
        for Stays { server, .. } in &stays {
            tell_news(server, &fleet)?;
        }
        let (edges, shields): (Vec<_>, Vec<_>) =
            stays.into_iter().partition(|s| s.server.tier() == Tier::Edge);
        let lose = shields.iter().any(|shield| shield.last.is_some());
        take_over(edges);
        // A pool of which only heirs will be left is answered for as before until they are there.
        let has_servers = |pool: &TranslatedPool| servers.iter().any(|s| s.pool == pool.name);
        if let (Some(dns), Some(answered)) = (&self.dns, answered)
            && (heirs.is_empty() || pools.iter().all(has_servers))
        {
            dns.tell(answered, numbers.clone());
        }
        self.see_off(leavers).await;
        if lose {
            tokio::time::sleep(UNDER_WAY).await;
        }
        take_over(shields);
        if heirs.is_empty() {
            return Ok(());
        }
        let heirs =
            heirs.into_iter().map(|plan| self.prepare(plan)).collect::<Result<Vec<_>, _>>()?;
        seats.extend(heirs.iter().filter_map(Ready::seat));
        let fleet = fleet::fleet(seats);
        for ready in heirs {
            tell(&ready.server, &fleet)?;
            self.launch(ready).await;
        }
        if let Some(dns) = &self.dns {
            let edges = self.edges.list();
            dns.tell(self::answered(&pools, edges.iter(), dns.router)?, numbers);
        }
        let mut all = self.shields.list().into_iter().chain(self.edges.list());
        all.try_for_each(|server| tell_news(&server, &fleet))
    }

    /// What is to be done, with everything in hand that could be missing.
    fn change(&self, wanted: Wanted) -> Result<Change, WorldError> {
        let running = [self.shields.list(), self.edges.list()].concat();
        let held = running.iter().map(Server::holds).collect();
        let wanted = self.with_origins(wanted)?;
        let Plan { mut edges, shields } = Plan::new(&wanted, self.ports, &held)?;
        let mut change = Change::default();
        if let Some(dns) = &self.dns {
            change.numbers = Numbers::new(&wanted.pools, &dns.numbers());
            change.numbers.assign(&mut edges, dns.port);
        }
        change.pools = wanted.pools;
        let mut others = Vec::new();
        for plan in shields.into_iter().chain(edges) {
            match running.iter().find(|server| server.id == plan.id) {
                Some(server) => change.stays.push(Stays::new(server.clone(), &plan)?),
                None => others.push(plan),
            }
        }
        let leaves = |server: &&Server| !change.stays.iter().any(|s| same(&s.server, server));
        change.leavers = running.iter().filter(leaves).cloned().collect();
        for plan in others {
            let inherits = |leaver: &Server| {
                leaver.name == plan.name || plan.port != 0 && leaver.address.port() == plan.port
            };
            if change.leavers.iter().any(inherits) {
                config(&plan)?;
                change.heirs.push(plan);
            } else {
                change.newcomers.push(self.prepare(plan)?);
            }
        }
        Ok(change)
    }

    /// Stops those that leave, who are in nobody's fleet by now: edges first, since they ask the shields.
    async fn see_off(&self, leavers: Vec<Server>) {
        let (edges, shields): (Vec<_>, Vec<_>) =
            leavers.into_iter().partition(|server| server.tier() == Tier::Edge);
        for (tier, leavers) in [(&self.edges, edges), (&self.shields, shields)] {
            servers::all(leavers.clone(), |server| async move { server.leave().await }).await;
            tier.retain(|server| !leavers.iter().any(|gone| same(gone, server)));
        }
    }
}

impl Stays {
    fn new(server: Server, plan: &ServerPlan) -> Result<Self, WorldError> {
        let wants_peers = plan.has_peers() && server.peers().is_none();
        let peers = wants_peers.then(|| bind(0, &plan.name)).transpose()?;
        let (snapshot, last) = (plan.snapshot.clone(), config(plan)?);
        let (first, last) = match snapshot.tier {
            Tier::Edge => (None, Some(last)),
            Tier::Shield => {
                let before = server.node.config();
                match with_lost_sites(before.snapshot(), &snapshot) {
                    None => (Some(last), None),
                    Some(both) => {
                        (Some(config(&ServerPlan { snapshot: both, ..plan.clone() })?), Some(last))
                    }
                }
            }
        };
        Ok(Self { server, snapshot, first, last, peers })
    }
}

/// `after` with the sites of `before` whose hosts it does not serve, if there are any.
fn with_lost_sites(before: &Snapshot, after: &Snapshot) -> Option<Snapshot> {
    let serves = |host: &String| after.sites.iter().any(|site| site.hosts.contains(host));
    let lost = before.sites.iter().filter(|site| !site.hosts.iter().any(serves));
    let mut both = after.clone();
    both.sites.extend(lost.cloned());
    (both.sites.len() > after.sites.len()).then_some(both)
}

fn take_over(stays: Vec<Stays>) {
    for Stays { server, last, .. } in stays {
        if let Some(config) = last {
            server.node.reload(config);
        }
        server.node.metrics.reloaded(true);
    }
}

/// Tells a server who is there, unless it knows.
fn tell_news(server: &Server, fleet: &wire::Fleet) -> Result<(), WorldError> {
    if server.node.fleet().as_ref() == Some(fleet) {
        return Ok(());
    }
    tell(server, fleet)?;
    server.node.metrics.fleet_reloaded(true);
    Ok(())
}

fn same(one: &Server, other: &Server) -> bool {
    std::sync::Arc::ptr_eq(&one.node, &other.node)
}
