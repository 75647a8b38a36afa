//! Pools and shields: what they ask for, and what they get, all at once.
//!
//! The steps, each a file: [`dereference`], [`validate`], [`build`], [`apply`], [`status`]. Only the first and the
//! last two hold a client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crds::{EdgePool, OriginShield};
use translate::{TranslatedPool, TranslatedShield};

use crate::names::{Owner, TierName};

pub mod apply;
pub mod build;
pub mod dereference;
pub mod geodns;
mod run;
pub mod status;
pub mod validate;
pub mod zones;

pub use run::{SetContext, run};

/// A pool or shield, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which.
    pub owner: Owner,
    /// Its uid.
    pub uid: String,
    /// Of the spec that was judged.
    pub generation: i64,
    /// Somebody deleted it: nothing is made for it any more.
    pub leaving: bool,
    /// Seconds since 1970 when it was made.
    pub age: i64,
    /// What is wrong with it; then [`Judged::serving`] is its last good state.
    pub problem: Option<Problem>,
    /// What it asks for, when nothing is wrong.
    pub sound: Option<Sound>,
    /// What its pods run on, if there is anything.
    pub serving: Option<Serving>,
}

/// What a sound resource asks for.
#[derive(Clone, Debug)]
pub enum Sound {
    /// A pool.
    Pool(Arc<EdgePool>, TranslatedPool),
    /// A shield.
    Shield(Arc<OriginShield>, TranslatedShield),
    /// A shield whose sites are not all known, as nobody knows what a refused pool runs on: it stays as it is.
    Held,
}

/// What pods run on now or as soon as it is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Serving {
    /// The version of the configuration.
    pub version: String,
    /// Of a pool: what GeoDNS needs to know.
    pub pool: Option<TranslatedPool>,
    /// Of a pool: the addresses that were written down for each of its places.
    pub addresses: Vec<Vec<String>>,
    /// The servers of a shield.
    pub replicas: u32,
    /// The shields that it comes through.
    pub shields: BTreeSet<Owner>,
}

impl Serving {
    /// Of a pool.
    pub fn pool(owner: &Owner, pool: &TranslatedPool, addresses: Vec<Vec<String>>) -> Self {
        let rings = pool.snapshot.sites.iter().filter_map(|site| site.shield.as_deref());
        let names = rings.filter_map(|ring| ring.strip_prefix("shield/")?.rsplit('/').next());
        let shields = names.map(|name| Owner {
            namespace: owner.namespace.clone(),
            tier: TierName::Shield,
            name: name.to_owned(),
        });
        Self {
            version: pool.snapshot.version.clone(),
            pool: Some(pool.clone()),
            addresses,
            replicas: pool.pops.iter().map(|pop| pop.replicas).sum(),
            shields: shields.collect(),
        }
    }

    /// Of a shield.
    pub fn shield(version: String, replicas: u32) -> Self {
        Self { version, pool: None, addresses: Vec::new(), replicas, shields: BTreeSet::new() }
    }

    /// The names of a pool's places.
    pub fn pops(&self) -> BTreeSet<String> {
        let pops = self.pool.iter().flat_map(|pool| &pool.pops);
        pops.map(|pop| pop.name.clone()).collect()
    }
}

/// Why a resource is not accepted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It says what cannot be.
    Invalid,
    /// It cannot even be read.
    Unreadable,
    /// A Secret that its pods need is not there, or has not the key.
    SecretMissing,
    /// What it asks for does not fit.
    TooLarge,
    /// GeoDNS cannot send clients to it, with all the others that it sends them to.
    Unroutable,
}

impl Reason {
    /// Its word in conditions, events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid",
            Self::Unreadable => "Unreadable",
            Self::SecretMissing => "SecretMissing",
            Self::TooLarge => "TooLarge",
            Self::Unroutable => "Unroutable",
        }
    }
}

/// What is wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In a word.
    pub reason: Reason,
    /// In words to act upon.
    pub message: String,
}

/// Those that were found out only when everything was put together.
pub type Refused = BTreeMap<Owner, Problem>;

/// All resources on their way through the steps.
#[derive(Clone, Debug)]
pub struct Resources<S> {
    /// Pools, then shields.
    pub judged: Arc<Vec<Judged>>,
    /// How far they are.
    pub state: S,
}
