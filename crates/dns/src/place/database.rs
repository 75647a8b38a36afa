//! A database of places in MaxMind's format, in the layout of MaxMind or the flat one of free databases.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
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
pub struct Database(Vec<File>);

#[derive(Debug)]
struct File {
    reader: Reader<Vec<u8>>,
    /// Records read before, by where they stand: to read one costs more than to find it.
    ready: HashTable<Ready>,
    /// Codes and names of the records.
    words: Vec<Box<str>>,
}

/// A record that was read.
#[derive(Debug)]
struct Ready {
    offset: usize,
    spot: Option<Spot>,
    /// Continent, country and region, as places among the words.
    words: [Option<NonZeroU32>; 3],
}

/// What a database has for an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// Nothing in it if the address is not in the database.
    pub place: Place<'a>,
    /// The same is true of all addresses whose first so many bits are the same.
    pub bits: u8,
}

impl Database {
    /// Takes the bytes of the database's files. Reads their descriptions only; [`prepare`](Self::prepare) reads all.
    ///
    /// # Errors
    /// One of them is no such file.
    pub fn new(files: Vec<Vec<u8>>) -> Result<Self, DatabaseError> {
        let file = |bytes| -> Result<File, DatabaseError> {
            let reader = Reader::from_source(bytes)?;
            Ok(File { reader, ready: HashTable::new(), words: Vec::new() })
        };
        Ok(Self(files.into_iter().map(file).collect::<Result<_, _>>()?))
    }

    /// The files of several databases as one.
    #[must_use]
    pub fn merge(databases: Vec<Self>) -> Self {
        Self(databases.into_iter().flat_map(|database| database.0).collect())
    }

    /// Reads all of it, each record once, so that none has to be read again; this takes seconds for a large one. What
    /// is not used is not looked at: free databases leave parts of their description out.
    ///
    /// # Errors
    /// It is damaged.
    pub fn prepare(&mut self) -> Result<(), DatabaseError> {
        self.0.iter_mut().try_for_each(File::prepare)
    }

    /// What the files call themselves.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|file| file.reader.metadata().database_type.as_str())
    }

    /// What it has for an address. Where it is damaged it has nothing.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Found<'_> {
        let address = canonical(address);
        let mut bits = 0;
        for file in &self.0 {
            let Some(found) = file.find(address) else { continue };
            bits = bits.max(found.bits);
            if found.place != Place::default() {
                return Found { bits, ..found };
            }
        }
        Found { place: Place::default(), bits }
    }
}

impl File {
    fn prepare(&mut self) -> Result<(), DatabaseError> {
        let mut places: HashMap<&str, NonZeroU32> = HashMap::new();
        for found in self.reader.networks(WithinOptions::default())? {
            let found = found?;
            let Some(offset) = found.offset() else { continue };
            let entry =
                self.ready.entry(spread(offset), |r| r.offset == offset, |r| spread(r.offset));
            let Entry::Vacant(vacant) = entry else { continue };
            let place = found.decode::<Record<'_>>()?.map(Record::place).unwrap_or_default();
            let words = [place.continent, place.country, place.region].map(|word| {
                let next = u32::try_from(places.len() + 1).ok().and_then(NonZeroU32::new);
                word.zip(next).map(|(word, next)| *places.entry(word).or_insert(next))
            });
            vacant.insert(Ready { offset, spot: place.spot, words });
        }
        let mut words: Vec<(&str, NonZeroU32)> = places.into_iter().collect();
        words.sort_unstable_by_key(|(_, place)| *place);
        self.words = words.into_iter().map(|(word, _)| word.into()).collect();
        self.ready.shrink_to_fit(|ready| spread(ready.offset));
        Ok(())
    }

    /// What the file has; `None` if it has nothing of the family.
    fn find(&self, address: IpAddr) -> Option<Found<'_>> {
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return None;
        }
        let found = self.reader.lookup(address).ok()?;
        let network = found.network().ok().filter(|n| n.is_ipv4() == address.is_ipv4())?;
        let bits = network.prefix();
        let ready = |offset| self.ready.find(spread(offset), |ready| ready.offset == offset);
        if let Some(ready) = found.offset().and_then(ready) {
            return Some(Found { place: self.place(ready), bits });
        }
        let record = found.decode::<Record<'_>>().ok().flatten();
        Some(Found { place: record.map(Record::place).unwrap_or_default(), bits })
    }

    fn place(&self, ready: &Ready) -> Place<'_> {
        let word = |place: Option<NonZeroU32>| {
            self.words.get(place?.get() as usize - 1).map(|word| &**word)
        };
        let [continent, country, region] = ready.words.map(word);
        Place { spot: ready.spot, continent, country, region }
    }
}

fn spread(offset: usize) -> u64 {
    let product = (offset as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ product >> 32
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
