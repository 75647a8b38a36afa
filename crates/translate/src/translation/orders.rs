//! Orders to invalidate: from `PurgeRequest` and `BanRule`.

use std::collections::HashMap;

use kube::{CustomResourceExt, Resource};
use serde::Serialize;
use wire::Invalidation;
use wire::invalidation::{FORMAT, Target};

use super::{against_schema, diagnose};
use crate::convert::{self, Order, Served};
use crate::diagnostic::Diagnostic;
use crate::path::{Path, Problems};
use crate::resources::{Located, Resources};

/// An order that a resource gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TranslatedOrder {
    /// The resource's kind.
    pub kind: OrderKind,
    /// The resource's name: `namespace/name`, or `name` if it has no namespace.
    pub name: String,
    /// What goes into the log. Its id stands for the resource and what the resource says: an edit has
    /// another. `issued_ms` is 0, for the sender to fill in.
    pub invalidation: Invalidation,
    /// How long every node has to apply it, in milliseconds; bans have the default of purges.
    pub deadline_ms: u64,
    /// The source that it is in; empty if it did not come from a text.
    pub file: String,
    /// The line that it starts on; 0 if it did not come from a text.
    pub line: u32,
}

/// What gives an order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum OrderKind {
    /// A `PurgeRequest`: applied once.
    #[serde(rename = "PurgeRequest")]
    Purge,
    /// A `BanRule`: to be lifted when it goes.
    #[serde(rename = "BanRule")]
    Ban,
}

impl OrderKind {
    fn word(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Ban => "ban",
        }
    }
}

/// The sound orders; `hosts` are those that the pools claim.
pub(super) fn orders<V>(
    resources: &Resources,
    hosts: &HashMap<String, V>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<TranslatedOrder> {
    let serves = |host: &str| {
        let suffixes = host.match_indices('.').map(|(dot, _)| format!("*{}", &host[dot..]));
        hosts.contains_key(host) || suffixes.into_iter().any(|pattern| hosts.contains_key(&pattern))
    };
    // A pool that could not be read may still be served in its last good state.
    let known = !resources.pools.is_empty() && !resources.lost_pools;
    let served = Served(if known { Some(&serves) } else { None });
    let mut orders = Vec::new();
    for request in &resources.purges {
        let deadline = request.value.spec.deadline.as_millis();
        let convert = |problems: &mut Problems| convert::purge(&request.value, &served, problems);
        orders.extend(order(request, OrderKind::Purge, deadline, convert, diagnostics));
    }
    for rule in &resources.bans {
        let convert = |problems: &mut Problems| convert::ban(&rule.value, &served, problems);
        orders.extend(order(rule, OrderKind::Ban, 30_000, convert, diagnostics));
    }
    orders
}

fn order<T>(
    resource: &Located<T>,
    kind: OrderKind,
    deadline_ms: u64,
    convert: impl FnOnce(&mut Problems) -> Option<Order>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<TranslatedOrder>
where
    T: Resource<DynamicType = ()> + CustomResourceExt + Serialize,
{
    let mut problems = Problems::default();
    against_schema(resource, &mut problems);
    let order = convert(&mut problems).filter(|_| problems.0.is_empty());
    problems.tell_once();
    diagnose(resource, problems, diagnostics);
    let Order { target, how, dry_run } = order?;
    let mut invalidation =
        Invalidation { format: FORMAT, id: String::new(), target, how, dry_run, issued_ms: 0 };
    invalidation.id = id(kind, resource, &invalidation);
    if let Target::Ban(ban) = &mut invalidation.target {
        ban.id.clone_from(&invalidation.id);
    }
    let (file, line) = resource.origin(&Path::root());
    let name = resource.full_name();
    Some(TranslatedOrder { kind, name, invalidation, deadline_ms, file, line })
}

/// `purge:cdn.news:0123456789abcdef:1`: 64 letters at most. What is in a cluster is told apart by its uid and
/// generation: made again, or edited and edited back, it is another order. Elsewhere what it says stands for it.
fn id<T: Resource<DynamicType = ()>>(
    kind: OrderKind,
    resource: &Located<T>,
    content: &Invalidation,
) -> String {
    const MOST: usize = 32;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let (kind, meta) = (kind.word(), resource.value.meta());
    let namespace = meta.namespace.as_deref().map(|namespace| format!("{}.", short(namespace)));
    let name = namespace.unwrap_or_default() + meta.name.as_deref().unwrap_or_default();
    let name = name.chars().map(|c| if fits(c) { c } else { '.' }).take(MOST).collect::<String>();
    if let Some(uid) = &meta.uid {
        let generation = meta.generation.unwrap_or_default();
        return format!("{kind}:{name}:{}:{generation}", mark(uid));
    }
    // Plain data always has a JSON form.
    let content = serde_json::to_vec(content).unwrap_or_default();
    let identity = serde_json::to_vec(&resource.identity()).unwrap_or_default();
    let hash = xxhash_rust::xxh3::xxh3_64(&[&identity[..], &content].concat());
    format!("{kind}:{name}:{hash:016x}")
}

/// A namespace as it is in ids: it must be there whole, for nobody may take another's orders for his.
fn short(namespace: &str) -> String {
    const MOST: usize = 24;
    if namespace.len() <= MOST { namespace.to_owned() } else { mark(namespace) }
}

/// What stands for a uid in the ids of orders.
pub fn mark(uid: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(uid.as_bytes()))
}

/// What the id of an order says of the resource of a cluster that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giver<'a> {
    name: &'a str,
    /// The [`mark`] of its uid.
    pub mark: &'a str,
    /// Which generation of the resource gave it.
    pub generation: i64,
}

impl<'a> Giver<'a> {
    /// Who gave the order `id`; none, if that was no resource of this kind in a cluster.
    pub fn of(kind: OrderKind, id: &'a str) -> Option<Self> {
        let mut parts = id.split(':');
        let (word, name, mark) = (parts.next()?, parts.next()?, parts.next()?);
        let generation = parts.next()?.parse().ok()?;
        let fits = parts.next().is_none() && word == kind.word() && mark.len() == 16;
        fits.then_some(Self { name, mark, generation })
    }

    /// Whether it is in `namespace`.
    pub fn is_in(&self, namespace: &str) -> bool {
        self.name.split_once('.').is_some_and(|(own, _)| own == short(namespace))
    }
}
