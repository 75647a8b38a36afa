//! What was seen of the cluster: kept small, by those who watch, for those who decide.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::DynamicObject;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use crate::build::{Key, Kind};
use crate::fleet::SeenPod;
use crate::names::{APPLIED, Owner, TierName};
use crate::reached::SeenService;

mod live;
pub mod watching;

pub use live::{Live, holds, version};

/// `namespace` and `name`.
pub type Id = (String, String);

/// All that was seen. Shared; whoever waits for a change gets to know of it.
#[derive(Debug)]
pub struct World {
    seen: Mutex<Seen>,
    set: watch::Sender<u64>,
    orders: watch::Sender<u64>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The pools.
    pub pools: BTreeMap<Id, Custom<EdgePool>>,
    /// The shields.
    pub shields: BTreeMap<Id, Custom<OriginShield>>,
    /// The purges.
    pub purges: BTreeMap<Id, Custom<PurgeRequest>>,
    /// The bans.
    pub bans: BTreeMap<Id, Custom<BanRule>>,
    /// The pods of pools and shields.
    pub pods: BTreeMap<Id, SeenPod>,
    /// The addresses of Services.
    pub services: BTreeMap<Id, SeenService>,
    /// The operator's objects.
    pub live: HashMap<Key, Live>,
    /// Objects that went, for whoever remembers having made them.
    lost: Vec<Key>,
    /// Counts up as pools and shields change in what they ask for.
    pub revision: u64,
    /// Counts up as the addresses of Services change.
    pub reached: u64,
}

/// A custom resource.
#[derive(Clone, Debug)]
pub struct Custom<T> {
    /// Its uid.
    pub uid: String,
    /// Counts up as its spec changes.
    pub generation: i64,
    /// Somebody deleted it, and something still keeps it.
    pub leaving: bool,
    /// It; or why it cannot be read.
    pub value: Result<Arc<T>, String>,
}

/// What can be watched.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// `EdgePool`.
    Pools,
    /// `OriginShield`.
    Shields,
    /// `PurgeRequest`.
    Purges,
    /// `BanRule`.
    Bans,
    /// The pods of pools and shields.
    Pods,
    /// The operator's objects of a kind.
    Objects(Kind),
}

impl Watched {
    /// Everything that is always there.
    pub fn always() -> impl Iterator<Item = Self> {
        let resources = [Self::Pools, Self::Shields, Self::Purges, Self::Bans, Self::Pods];
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::ServiceMonitor);
        resources.into_iter().chain(kinds.map(Self::Objects))
    }

    /// Its word in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pools => "edgepools",
            Self::Shields => "originshields",
            Self::Purges => "purgerequests",
            Self::Bans => "banrules",
            Self::Pods => "pods",
            Self::Objects(Kind::ServiceAccount) => "serviceaccounts",
            Self::Objects(Kind::ConfigMap) => "configmaps",
            Self::Objects(Kind::NetworkPolicy) => "networkpolicies",
            Self::Objects(Kind::Service) => "services",
            Self::Objects(Kind::PodDisruptionBudget) => "poddisruptionbudgets",
            Self::Objects(Kind::Deployment) => "deployments",
            Self::Objects(Kind::ServiceMonitor) => "servicemonitors",
        }
    }

    fn is_order(self) -> bool {
        matches!(self, Self::Purges | Self::Bans)
    }
}

impl Default for World {
    fn default() -> Self {
        let (set, orders) = (watch::Sender::new(0), watch::Sender::new(0));
        Self { seen: Mutex::default(), set, orders }
    }
}

impl World {
    /// Looks at what was seen. Nothing that takes long, or waits, may happen in `look`.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock())
    }

    /// The objects that went since this was asked last.
    pub fn take_lost(&self) -> Vec<Key> {
        std::mem::take(&mut self.seen.lock().lost)
    }

    /// Changes of everything but orders.
    pub fn set_changes(&self) -> watch::Receiver<u64> {
        self.set.subscribe()
    }

    /// Changes of orders and of pools, which say whether an order means anything.
    pub fn order_changes(&self) -> watch::Receiver<u64> {
        self.orders.subscribe()
    }

    /// Has everybody look again.
    pub fn touch(&self) {
        self.set.send_modify(|n| *n += 1);
        self.orders.send_modify(|n| *n += 1);
    }

    /// Takes an object in, new or changed.
    pub fn put(&self, what: Watched, object: DynamicObject) {
        let Some(id) = id(&object) else { return };
        if self.seen.lock().put(what, id, object) {
            self.tell(what);
        }
    }

    /// Forgets an object.
    pub fn remove(&self, what: Watched, id: &Id) {
        if self.seen.lock().remove(what, id) {
            self.tell(what);
        }
    }

    /// Forgets what a new list of a namespace, or of all, does not have.
    pub fn keep_only(&self, what: Watched, namespace: Option<&str>, listed: &HashSet<Id>) {
        let gone: Vec<Id> = {
            let seen = self.seen.lock();
            let here = |id: &Id| namespace.is_none_or(|namespace| namespace == id.0);
            seen.ids(what).into_iter().filter(|id| here(id) && !listed.contains(id)).collect()
        };
        for id in gone {
            self.remove(what, &id);
        }
        self.tell(what);
    }

    fn tell(&self, what: Watched) {
        if !what.is_order() {
            self.set.send_modify(|n| *n += 1);
        }
        if what.is_order() || what == Watched::Pools {
            self.orders.send_modify(|n| *n += 1);
        }
    }
}

/// Where an object is, if it says so.
pub fn id(object: &DynamicObject) -> Option<Id> {
    Some((object.metadata.namespace.clone()?, object.metadata.name.clone()?))
}

impl Seen {
    /// Whether anything changed that matters.
    fn put(&mut self, what: Watched, id: Id, object: DynamicObject) -> bool {
        match what {
            Watched::Pools => {
                let asks = put(&mut self.pools, id, object);
                self.revision += u64::from(asks);
                asks
            }
            Watched::Shields => {
                let asks = put(&mut self.shields, id, object);
                self.revision += u64::from(asks);
                asks
            }
            Watched::Purges => put(&mut self.purges, id, object),
            Watched::Bans => put(&mut self.bans, id, object),
            Watched::Pods => {
                let Some(pod) = object.try_parse::<Pod>().ok().and_then(|pod| SeenPod::of(&pod))
                else {
                    return self.pods.remove(&id).is_some();
                };
                self.pods.insert(id, pod.clone()).as_ref() != Some(&pod)
            }
            Watched::Objects(kind) => {
                let mut changed = false;
                if kind == Kind::Service {
                    let service = object.clone().try_parse::<Service>();
                    let service = service.map(|s| SeenService::of(&s)).unwrap_or_default();
                    changed = self.services.insert(id.clone(), service.clone()).as_ref()
                        != Some(&service);
                    self.reached += u64::from(changed);
                }
                let key = Key { kind, namespace: id.0, name: id.1 };
                let live = Live::of(object);
                let former = self.live.insert(key, live.clone());
                changed | former.is_none_or(|former| former.differs(&live))
            }
        }
    }

    fn remove(&mut self, what: Watched, id: &Id) -> bool {
        match what {
            Watched::Pools => {
                self.revision += 1;
                self.pools.remove(id).is_some()
            }
            Watched::Shields => {
                self.revision += 1;
                self.shields.remove(id).is_some()
            }
            Watched::Purges => self.purges.remove(id).is_some(),
            Watched::Bans => self.bans.remove(id).is_some(),
            Watched::Pods => self.pods.remove(id).is_some(),
            Watched::Objects(kind) => {
                if kind == Kind::Service {
                    self.services.remove(id);
                    self.reached += 1;
                }
                let key = Key { kind, namespace: id.0.clone(), name: id.1.clone() };
                let was = self.live.remove(&key).is_some();
                self.lost.push(key);
                was
            }
        }
    }

    fn ids(&self, what: Watched) -> Vec<Id> {
        match what {
            Watched::Pools => self.pools.keys().cloned().collect(),
            Watched::Shields => self.shields.keys().cloned().collect(),
            Watched::Purges => self.purges.keys().cloned().collect(),
            Watched::Bans => self.bans.keys().cloned().collect(),
            Watched::Pods => self.pods.keys().cloned().collect(),
            Watched::Objects(kind) => {
                let of_kind = self.live.keys().filter(|key| key.kind == kind);
                of_kind.map(|key| (key.namespace.clone(), key.name.clone())).collect()
            }
        }
    }

    /// All pods, by whose they are.
    pub fn pods_by_owner(&self) -> Pods {
        let mut pods = Pods::default();
        for ((namespace, _), pod) in &self.pods {
            let (component, instance) = pod.of.clone();
            pods.0.entry((namespace.clone(), component, instance)).or_default().push(pod.clone());
        }
        pods
    }
}

/// Pods by namespace, component and instance.
#[derive(Clone, Debug, Default)]
pub struct Pods(HashMap<(String, String, String), Vec<SeenPod>>);

impl Pods {
    /// Those of a pool or shield.
    pub fn of(&self, owner: &Owner) -> &[SeenPod] {
        let component = owner.tier.as_str().to_owned();
        let group = (owner.namespace.clone(), component, owner.instance());
        self.0.get(&group).map_or(&[], Vec::as_slice)
    }
}

/// Whether it changed in what it asks for. What its status says is known to whoever wrote it.
fn put<T: DeserializeOwned>(
    map: &mut BTreeMap<Id, Custom<T>>,
    id: Id,
    object: DynamicObject,
) -> bool {
    let new = Custom::of(object);
    let asks = map.get(&id).is_none_or(|former| {
        (&former.uid, former.generation, former.leaving) != (&new.uid, new.generation, new.leaving)
    });
    map.insert(id, new);
    asks
}

impl<T: DeserializeOwned> Custom<T> {
    fn of(mut object: DynamicObject) -> Self {
        let metadata = &mut object.metadata;
        metadata.managed_fields = None;
        let uid = metadata.uid.clone().unwrap_or_default();
        let generation = metadata.generation.unwrap_or_default();
        let leaving = metadata.deletion_timestamp.is_some();
        let value = read(object).map(Arc::new);
        Self { uid, generation, leaving, value }
    }
}

/// A status that cannot be read is as good as none: it is written anew.
fn read<T: DeserializeOwned>(object: DynamicObject) -> Result<T, String> {
    let mut json = serde_json::to_value(object).map_err(|error| error.to_string())?;
    match serde_json::from_value(json.clone()) {
        Ok(value) => Ok(value),
        Err(error) => {
            if let Some(json) = json.as_object_mut() {
                json.remove("status");
            }
            serde_json::from_value(json).map_err(|_| error.to_string())
        }
    }
}

/// Whose an object is: the pool or shield that controls it, and that one's uid.
fn controller(object: &DynamicObject) -> Option<(Owner, String)> {
    let references = object.metadata.owner_references.as_ref()?;
    let controller = references.iter().find(|reference| reference.controller == Some(true))?;
    let tier = match controller.kind.as_str() {
        "EdgePool" => TierName::Edge,
        "OriginShield" => TierName::Shield,
        _ => return None,
    };
    let namespace = object.metadata.namespace.clone()?;
    Some((Owner { namespace, tier, name: controller.name.clone() }, controller.uid.clone()))
}

fn applied(object: &DynamicObject) -> Option<String> {
    object.metadata.annotations.as_ref()?.get(APPLIED).cloned()
}

fn data(value: &Value, key: &str) -> Option<String> {
    Some(value.get("data")?.get(key)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests;
