//! What the objects of the cluster are called and marked with.

use std::collections::BTreeMap;

use wire::snapshot::Tier;

/// Who the API server takes the writer of fields for.
pub const MANAGER: &str = "blue-origin";
/// Marks every object that is the operator's.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`].
pub const OPERATOR: &str = "blue-origin-operator";
/// Marks every object that is looked after, with [`WATCHED_VALUE`]: also one of Helm's, which wants [`MANAGED_BY`] for itself.
pub const WATCHED: &str = "cdn.blueorigin.dev/watched";
/// The value of [`WATCHED`].
pub const WATCHED_VALUE: &str = "true";
/// What kind of server a pod is: `edge` or `shield`.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The pool or shield that an object belongs to, shortened to what a label takes.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// The point of presence that an object belongs to.
pub const POP: &str = "cdn.blueorigin.dev/pop";
/// On an object: the hash of what was applied.
pub const APPLIED: &str = "cdn.blueorigin.dev/applied";
/// On a pod: the version of the documents that it mounts, so that the kubelet looks at them.
pub const NUDGE: &str = "cdn.blueorigin.dev/documents";
/// On a `BanRule` until it is lifted.
pub const LIFT: &str = "cdn.blueorigin.dev/lift";

/// Where clients come to an edge.
pub const CLIENTS: u16 = 8080;
/// Where edges come to a shield.
pub const TIERS: u16 = 8081;
/// Where the other edges of the place come.
pub const PEERS: u16 = 8082;
/// Health, metrics and the admin API.
pub const ADMIN: u16 = 9090;

/// Bytes of an object's name at most: a pod has 17 more, and all must fit into a host's name.
const NAME: usize = 45;
/// Bytes of a label's value at most.
const LABEL: usize = 63;

/// A pool or shield.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Which of the two.
    pub tier: TierName,
    /// Its name.
    pub name: String,
}

/// [`Tier`] in an order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TierName {
    /// `EdgePool`.
    Edge,
    /// `OriginShield`.
    Shield,
}

impl TierName {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => Tier::Edge.as_str(),
            Self::Shield => Tier::Shield.as_str(),
        }
    }

    /// The kind of its resource.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Edge => "EdgePool",
            Self::Shield => "OriginShield",
        }
    }
}

impl Owner {
    /// `namespace/name`, as a snapshot has it.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What its objects are called: `edge-POOL`, `shield-NAME`.
    pub fn object(&self) -> String {
        shortened(&format!("{}-{}", self.tier.as_str(), self.name), NAME)
    }

    /// What those of one of its places are called: `edge-POOL-POP`. No other pool and place have the same.
    pub fn object_at(&self, pop: &str) -> String {
        let (tier, name) = (self.tier.as_str(), &self.name);
        // `a` in `b-c` is `a--b-c`, `a-b` in `c` is `a-b-c`.
        let between = if pop.contains('-') { "--" } else { "-" };
        let plain = format!("{tier}-{name}{between}{pop}");
        if name.contains("--") || pop.contains("--") {
            return marked(&plain, &format!("{name}\0{pop}"), NAME);
        }
        shortened(&plain, NAME)
    }

    /// The ConfigMap of what it runs on.
    pub fn config(&self) -> String {
        format!("{}-config", self.object())
    }

    /// The ConfigMap of who is there.
    pub fn fleet(&self) -> String {
        format!("{}-fleet", self.object())
    }

    /// Its name as a label has it.
    pub fn instance(&self) -> String {
        shortened(&self.name, LABEL)
    }

    /// What its pods are found by.
    pub fn selector(&self) -> BTreeMap<String, String> {
        [(COMPONENT, self.tier.as_str().to_owned()), (INSTANCE, self.instance())]
            .map(|(key, value)| (key.to_owned(), value))
            .into()
    }

    /// What those of one of its places are found by.
    pub fn selector_at(&self, pop: &str) -> BTreeMap<String, String> {
        let mut selector = self.selector();
        selector.insert(POP.to_owned(), pop.to_owned());
        selector
    }

    /// What its objects are marked with.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selector();
        labels.insert("app.kubernetes.io/name".to_owned(), "blue-origin".to_owned());
        labels.insert(MANAGED_BY.to_owned(), OPERATOR.to_owned());
        labels.insert(WATCHED.to_owned(), WATCHED_VALUE.to_owned());
        labels
    }
}

/// A selector as `kubectl get -l` takes it.
pub fn selector_text(selector: &BTreeMap<String, String>) -> String {
    selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// `text` if it is short and has no dot, else its beginning with a hash of the whole.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most && !text.contains('.') {
        return text.to_owned();
    }
    marked(text, text, most)
}

fn marked(text: &str, whole: &str, most: usize) -> String {
    let hash = xxhash_rust::xxh3::xxh3_64(whole.as_bytes()) >> 32;
    let head: String = text.chars().filter(char::is_ascii).take(most.saturating_sub(9)).collect();
    format!("{}-{hash:08x}", head.replace('.', "-").trim_end_matches('-'))
}

#[cfg(test)]
mod tests;
