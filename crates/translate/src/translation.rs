//! Resources → what each pool runs on.

use std::collections::HashMap;
use std::sync::LazyLock;

use crds::EdgePool;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::{CustomResourceExt, Resource};
use serde::{Deserialize, Serialize};
use wire::Snapshot;
use wire::snapshot::PeeringMode;
use wire::zones::{Network, Rule, Steering};

use crate::check::{self, BadText};
use crate::convert;
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::path::{Path, Problems};
use crate::read::{Source, read};
use crate::resources::{Former, Located, Resources, full_name};
use crate::schema;
use crate::snapshot;

mod orders;
mod shields;

pub use orders::{Giver, OrderKind, TranslatedOrder, mark};
pub use shields::TranslatedShield;

/// The pools that are sound, and what is wrong with the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// In the order of the resources.
    pub pools: Vec<TranslatedPool>,
    /// In the order of the resources.
    pub shields: Vec<TranslatedShield>,
    /// Purges, then bans, each in the order of the resources.
    pub orders: Vec<TranslatedOrder>,
    /// A resource named here is not among the pools, shields and orders.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a pool runs on, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TranslatedPool {
    /// `namespace/name`, or `name` if it has no namespace.
    pub name: String,
    /// What its edges run on.
    pub snapshot: Snapshot,
    /// Where they are.
    pub pops: Vec<Pop>,
    /// How clients are sent to them.
    pub routing: Routing,
}

/// A point of presence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pop {
    /// Unique in the pool.
    pub name: String,
    /// The region that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// For sending clients to the nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Share of the traffic; 0 = out of DNS.
    pub weight: u32,
    /// Requests per second that it can take; any number without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Edges in it.
    pub replicas: u32,
    /// Where an HTTP router sends its clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it is to be out of DNS.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub maintenance: bool,
}

/// How clients are sent to the PoPs of a pool, as a GeoDNS has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Routing {
    /// How it answers.
    pub steering: Steering,
    /// What is known of clients by their address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
    /// Who gets which PoPs first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// A place on earth.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// Translates resources. Pure: the same resources in the same order give the same result.
#[must_use]
pub fn translate(resources: &Resources) -> Translation {
    translate_after(resources, |_| Former::Unknown)
}

/// The same where it is known what pools that are refused now run on: `former` says so by their full names. A refused
/// pool keeps its hosts, and the shields that it comes through keep its sites.
#[must_use]
pub fn translate_after(resources: &Resources, former: impl Fn(&str) -> Former) -> Translation {
    let mut translation = Translation::default();
    let mut shields = shields::Shields::of(&resources.shields, &mut translation.diagnostics);
    // Also what a refused pool wants counts: mended, it has that.
    let mut hosts = HashMap::new();
    for (namespace, name) in &resources.refused {
        let name = full_name(Some(namespace), name);
        keep(former(&name), &name, namespace, &mut hosts, &mut shields);
    }
    for pool in &resources.pools {
        let (namespace, _) = pool.identity();
        let find = |name: &str| shields.find(&namespace, name);
        let mut problems = Problems::default();
        against_schema(pool, &mut problems);
        let (mut snapshot, pops, routing) =
            convert::pool(&pool.value, &convert::Shields::Known(&find), &mut problems);
        claim_hosts(pool, &mut hosts, &mut problems);
        problems.tell_once();
        if problems.0.is_empty() {
            snapshot.version = snapshot::version_of(&snapshot);
            // Nothing that comes this far should fail here; if it does, better refused than served.
            problems.0 = snapshot::check(&snapshot);
        }
        if problems.0.is_empty() {
            let name = pool.full_name();
            translation.pools.push(TranslatedPool { name, snapshot, pops, routing });
        } else {
            diagnose(pool, problems, &mut translation.diagnostics);
            let name = pool.full_name();
            keep(former(&name), &name, &namespace, &mut hosts, &mut shields);
        }
    }
    let diagnostics = &mut translation.diagnostics;
    translation.shields = shields.translated(&translation.pools, resources.lost_pools, diagnostics);
    translation.orders = orders::orders(resources, &hosts, &mut translation.diagnostics);
    translation
}

/// A refused pool serves on: what it has then is not free, and its shields still need it.
fn keep(
    former: Former,
    pool: &str,
    namespace: &str,
    hosts: &mut HashMap<String, String>,
    shields: &mut shields::Shields<'_>,
) {
    match former {
        Former::Nothing => {}
        Former::Unknown => shields.miss(namespace),
        Former::Snapshot(snapshot) => {
            let whose = format!("EdgePool/{pool}, which is refused and serves on as it was");
            for host in snapshot.sites.iter().flat_map(|site| &site.hosts) {
                hosts.entry(host.clone()).or_insert_with(|| whose.clone());
            }
            shields.keep(*snapshot);
        }
    }
}

/// [`read`] and [`translate`] at once, with the diagnostics of both.
#[must_use]
pub fn translate_all(sources: &[Source<'_>]) -> Translation {
    let (resources, mut diagnostics) = read(sources);
    let mut translation = translate(&resources);
    diagnostics.append(&mut translation.diagnostics);
    Translation { diagnostics, ..translation }
}

/// Replaces the origins of all sites of a pool by one. The version changes with them. A site with a shield
/// keeps it: the same is to be done to the shield, by [`with_origin_behind`].
///
/// # Errors
///
/// If the URL is not `http` or `https`, host and perhaps port; the pool is then as it was.
pub fn with_origin(pool: &mut TranslatedPool, url: &str) -> Result<(), BadText> {
    replace_origins(&mut pool.snapshot, url)
}

/// The same for the sites of a shield.
///
/// # Errors
///
/// As of [`with_origin`].
pub fn with_origin_behind(shield: &mut TranslatedShield, url: &str) -> Result<(), BadText> {
    replace_origins(&mut shield.snapshot, url)
}

/// Makes peers of edges that would send clients to each other: for where no client can reach a single edge. Whether
/// anything changed.
pub fn without_redirects(pool: &mut TranslatedPool) -> bool {
    let peering = &mut pool.snapshot.peering;
    let changes = peering.mode == PeeringMode::Redirect;
    if changes {
        peering.mode = PeeringMode::Peer;
        pool.snapshot.version = snapshot::version_of(&pool.snapshot);
    }
    changes
}

fn replace_origins(snapshot: &mut Snapshot, url: &str) -> Result<(), BadText> {
    let url = check::origin_url(url)?;
    for site in &mut snapshot.sites {
        site.origins = vec![wire::snapshot::Origin::at(&url)];
    }
    snapshot.version = snapshot::version_of(snapshot);
    Ok(())
}

/// What came from a text has been held against its schema when it was read. What came from a cluster
/// may have been stored under an older one.
fn against_schema<T>(resource: &Located<T>, problems: &mut Problems)
where
    T: Resource<DynamicType = ()> + CustomResourceExt + Serialize,
{
    if resource.is_from_text() {
        return;
    }
    let at = Path::root();
    let Some(json) = problems.take(&at, serde_json::to_value(&resource.value)) else {
        return;
    };
    // Making one takes as long as checking a hundred resources against it.
    static SCHEMAS: LazyLock<HashMap<String, JSONSchemaProps>> = LazyLock::new(|| {
        let all = crds::definitions().into_iter();
        all.map(|crd| (crd.spec.names.kind.clone(), schema::schema_of(crd))).collect()
    });
    let Some(schema) = SCHEMAS.get(&*T::kind(&())) else { return };
    let spec = schema.properties.as_ref().and_then(|properties| properties.get("spec"));
    if let (Some(schema), Some(spec)) = (spec, json.get("spec")) {
        schema::check(schema, &Node::from_json(spec), &at.key("spec"), problems);
    }
}

/// A host has one site in all pools.
fn claim_hosts(
    pool: &Located<EdgePool>,
    hosts: &mut HashMap<String, String>,
    problems: &mut Problems,
) {
    let sites = Path::root().key("spec").key("sites");
    for (i, site) in pool.value.spec.sites.iter().enumerate() {
        for (j, host) in site.hosts.iter().enumerate() {
            let Ok(host) = check::host_or_wildcard(host) else {
                continue;
            };
            let at = sites.index(i).key("hosts").index(j);
            match hosts.get(&host) {
                Some(first) => problems.add(
                    &at,
                    format!("`{host}` already belongs to {first}; remove it from one of the two"),
                ),
                None => {
                    hosts.insert(host, pool.place(&at));
                }
            }
        }
    }
}

fn diagnose<T: Resource<DynamicType = ()>>(
    resource: &Located<T>,
    problems: Problems,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut found: Vec<_> = problems.0.into_iter().map(|p| resource.diagnose(p)).collect();
    found.sort_by_key(|diagnostic| diagnostic.line);
    diagnostics.append(&mut found);
}

#[cfg(test)]
mod tests;
