//! A database of places in MaxMind's format, in the layout of MaxMind or the flat one of free databases.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use wire::zones::Location;

use super::{Place, Spot, client::canonical};

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Not in the format, or damaged.
    #[error("not a database of places: {0}")]
    Format(#[from] MaxMindDbError),
}

/// A database of places, in memory as a whole: one file, or several, as free ones have one for each family of
/// addresses. The first that has something for an address counts.
#[derive(Debug)]
pub struct Database(Vec<Reader<Vec<u8>>>);

/// What a database has for an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// Nothing in it if the address is not in the database.
    pub place: Place<'a>,
    /// The same is true of all addresses whose first so many bits are the same.
    pub bits: u8,
}

impl Database {
    /// Takes the bytes of the database's files. Reads their descriptions only; [`verify`](Self::verify) reads all.
    ///
    /// # Errors
    /// One of them is no such file.
    pub fn new(files: Vec<Vec<u8>>) -> Result<Self, DatabaseError> {
        let readers = files.into_iter().map(Reader::from_source);
        Ok(Self(readers.collect::<Result<_, _>>()?))
    }

    /// The files of several databases as one.
    #[must_use]
    pub fn merge(databases: Vec<Self>) -> Self {
        Self(databases.into_iter().flat_map(|database| database.0).collect())
    }

    /// Reads all of it, each record once, which takes seconds for a large one. What it does not use is not looked at:
    /// free databases leave parts of their description out.
    ///
    /// # Errors
    /// It is damaged.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        for reader in &self.0 {
            let mut seen = HashSet::new();
            for found in reader.networks(WithinOptions::default())? {
                let found = found?;
                if found.offset().is_some_and(|offset| seen.insert(offset)) {
                    found.decode::<Record<'_>>()?;
                }
            }
        }
        Ok(())
    }

    /// What the files call themselves.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|reader| reader.metadata().database_type.as_str())
    }

    /// What it has for an address. Where it is damaged it has nothing.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Found<'_> {
        let address = canonical(address);
        let mut bits = 0;
        for reader in &self.0 {
            let Some(found) = find_in(reader, address) else { continue };
            bits = bits.max(found.bits);
            if found.place != Place::default() {
                return Found { bits, ..found };
            }
        }
        Found { place: Place::default(), bits }
    }
}

/// What a file has; `None` if it has nothing of the family.
fn find_in(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<Found<'_>> {
    if address.is_ipv6() && reader.metadata().ip_version == 4 {
        return None;
    }
    let found = reader.lookup(address).ok()?;
    let network = found.network().ok().filter(|n| n.is_ipv4() == address.is_ipv4())?;
    let record = found.decode::<Record<'_>>().ok().flatten();
    let place = record.map(Record::place).unwrap_or_default();
    Some(Found { place, bits: network.prefix() })
}

/// The fields of both layouts.
#[derive(Deserialize)]
struct Record<'a> {
    location: Option<Degrees>,
    latitude: Option<Degree>,
    longitude: Option<Degree>,
    #[serde(borrow)]
    continent: Option<Code<'a>>,
    #[serde(borrow)]
    continent_code: Option<Code<'a>>,
    #[serde(borrow)]
    country: Option<Code<'a>>,
    #[serde(borrow)]
    country_code: Option<Code<'a>>,
    #[serde(borrow)]
    subdivisions: Option<First<'a>>,
    #[serde(borrow)]
    state1: Option<Code<'a>>,
}

impl<'a> Record<'a> {
    fn place(self) -> Place<'a> {
        let nested = self.location.map(|degrees| (degrees.latitude, degrees.longitude));
        let (latitude, longitude) = nested.unwrap_or((self.latitude, self.longitude));
        let spot = match (latitude.and_then(|d| d.0), longitude.and_then(|d| d.0)) {
            (Some(latitude), Some(longitude)) => Spot::new(Location { latitude, longitude }),
            _ => None,
        };
        let code = |first: Option<Code<'a>>, second: Option<Code<'a>>| {
            first.and_then(|code| code.0).or(second.and_then(|code| code.0))
        };
        Place {
            spot,
            continent: code(self.continent, self.continent_code),
            country: code(self.country, self.country_code),
            region: code(self.subdivisions.and_then(|first| first.0), self.state1),
        }
    }
}

#[derive(Deserialize)]
struct Degrees {
    latitude: Option<Degree>,
    longitude: Option<Degree>,
}

/// A number, however it is written; nothing where there is none.
struct Degree(Option<f64>);

/// A code, as text or in a map with others; nothing where there is none.
#[derive(Clone, Copy)]
struct Code<'a>(Option<&'a str>);

/// The first code of a list.
struct First<'a>(Option<Code<'a>>);

impl<'de> Deserialize<'de> for Degree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DegreeVisitor)
    }
}

struct DegreeVisitor;

impl Visitor<'_> for DegreeVisitor {
    type Value = Degree;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("degrees")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Degree, E> {
        Ok(Degree(Some(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Degree, E> {
        Ok(Degree(Some(value as f64)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Degree, E> {
        Ok(Degree(Some(value as f64)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Degree, E> {
        Ok(Degree(value.parse().ok()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Code<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CodeVisitor)
    }
}

struct CodeVisitor;

impl<'de> Visitor<'de> for CodeVisitor {
    type Value = Code<'de>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a code, or a map with one")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Code<'de>, E> {
        Ok(Code((!value.is_empty()).then_some(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Code<'de>, A::Error> {
        let mut code = Code(None);
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "iso_code" | "code" => code = Code(Some(map.next_value()?)),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(code)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for First<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(FirstVisitor)
    }
}

struct FirstVisitor;

impl<'de> Visitor<'de> for FirstVisitor {
    type Value = First<'de>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a list of parts of a country")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<First<'de>, A::Error> {
        let first = list.next_element()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}
