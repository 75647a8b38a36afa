//! Where a client is: from its address to a place on earth, or none.

mod client;
mod database;
mod index;
mod networks;
mod sphere;

pub use client::Client;
pub use database::{Database, DatabaseError, Found};
pub use networks::Networks;
pub use sphere::Spot;

/// What a database knows of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place<'a> {
    /// Where it is.
    pub spot: Option<Spot>,
    /// The code of the continent: `EU`.
    pub continent: Option<&'a str>,
    /// The code of the country: `CH`.
    pub country: Option<&'a str>,
    /// The greatest part of the country, as a code or a name.
    pub region: Option<&'a str>,
}

/// From where a client's place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceSource {
    /// A network of the pool names PoPs.
    NetworkPops,
    /// A network of the pool has a place.
    NetworkPlace,
    /// A rule for its country, or a part of it, or its continent.
    Rule,
    /// The database has a place.
    Database,
    /// It is not known.
    Unknown,
    /// It was not asked for: there is but one PoP.
    Needless,
}

impl PlaceSource {
    /// All of them, for metrics.
    pub const ALL: [Self; 6] = [
        Self::NetworkPops,
        Self::NetworkPlace,
        Self::Rule,
        Self::Database,
        Self::Unknown,
        Self::Needless,
    ];

    /// A stable token for metrics, logs and `/where`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NetworkPops => "network-pops",
            Self::NetworkPlace => "network-place",
            Self::Rule => "rule",
            Self::Database => "database",
            Self::Unknown => "unknown",
            Self::Needless => "needless",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
