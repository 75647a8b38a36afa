//! A database of places in MaxMind's format, in the layout of MaxMind or the flat one of free databases.

use std::collections::HashMap;
use std::fmt;
use std::hint::black_box;
use std::net::IpAddr;
use std::num::NonZeroU32;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use wire::zones::Location;

use super::index::{AT_ONCE, Builder, Index};
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
    /// The networks of IPv4, where they could be laid out.
    index: Option<Index>,
    /// Where the records stand that were read before: to read one costs more than to find it.
    known: HashTable<Known>,
    /// What was read.
    records: Vec<Ready>,
    /// Codes and names of the records.
    words: Vec<Box<str>>,
}

/// Where a record stands in the file, and which of those that were read it is.
#[derive(Debug)]
struct Known {
    offset: usize,
    nth: usize,
}

/// A record that was read.
#[derive(Debug)]
struct Ready {
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
            let (known, records, words) = (HashTable::new(), Vec::new(), Vec::new());
            Ok(File { reader, index: None, known, records, words })
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

    /// Whether the networks of IPv4 of a file could be laid out.
    #[cfg(test)]
    pub(crate) fn is_laid_out(&self) -> bool {
        self.0.iter().any(|file| file.index.is_some())
    }

    /// Looks at what a [`find`](Self::find) of each of these addresses will need, so that those that follow need not wait
    /// for memory. Changes nothing else.
    pub fn warm(&self, addresses: &[IpAddr]) {
        let Some(index) = self.0.first().and_then(|file| file.index.as_ref()) else { return };
        for addresses in addresses.chunks(AT_ONCE) {
            let (mut v4, mut count) = ([0; AT_ONCE], 0);
            for address in addresses {
                if let IpAddr::V4(address) = canonical(*address) {
                    v4[count] = address.into();
                    count += 1;
                }
            }
            let mut records = [0; AT_ONCE];
            index.warm(&v4[..count], &mut records);
            for record in &records[..count] {
                black_box(self.0[0].records.get(*record).map(|ready| (ready.spot, ready.words)));
            }
        }
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
            let same = |known: &Known| known.offset == offset;
            let entry = self.known.entry(spread(offset), same, |known| spread(known.offset));
            let Entry::Vacant(vacant) = entry else { continue };
            let place = found.decode::<Record<'_>>()?.map(Record::place).unwrap_or_default();
            let words = [place.continent, place.country, place.region].map(|word| {
                let next = u32::try_from(places.len() + 1).ok().and_then(NonZeroU32::new);
                word.zip(next).map(|(word, next)| *places.entry(word).or_insert(next))
            });
            vacant.insert(Known { offset, nth: self.records.len() });
            self.records.push(Ready { spot: place.spot, words });
        }
        let mut words: Vec<(&str, NonZeroU32)> = places.into_iter().collect();
        words.sort_unstable_by_key(|(_, place)| *place);
        self.words = words.into_iter().map(|(word, _)| word.into()).collect();
        self.known.shrink_to_fit(|known| spread(known.offset));
        self.records.shrink_to_fit();
        self.index = self.index()?;
        Ok(())
    }

    /// The networks of IPv4 as an index; `None` if they are of a kind that it cannot hold.
    fn index(&self) -> Result<Option<Index>, DatabaseError> {
        let mut index = Builder::default();
        let all = WithinOptions::default().include_networks_without_data();
        let Ok(v4) = "0.0.0.0/0".parse() else { return Ok(None) };
        for found in self.reader.within(v4, all)? {
            let found = found?;
            let IpAddr::V4(first) = found.network()?.ip() else { return Ok(None) };
            let record = match found.offset().map(|offset| self.known(offset)) {
                Some(None) => return Ok(None),
                record => record.flatten(),
            };
            if !index.push(first, found.network()?.prefix(), record) {
                return Ok(None);
            }
        }
        Ok(index.finish())
    }

    /// Which of those that were read the record is that stands there.
    fn known(&self, offset: usize) -> Option<usize> {
        let known = self.known.find(spread(offset), |known| known.offset == offset);
        known.map(|known| known.nth)
    }

    /// What the file has; `None` if it has nothing of the family.
    fn find(&self, address: IpAddr) -> Option<Found<'_>> {
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return None;
        }
        if let (Some(index), IpAddr::V4(v4)) = (&self.index, address) {
            let (record, bits) = index.find(v4);
            let ready = record.and_then(|nth| self.records.get(nth));
            return Some(Found { place: ready.map(|r| self.place(r)).unwrap_or_default(), bits });
        }
        let found = self.reader.lookup(address).ok()?;
        let network = found.network().ok().filter(|n| n.is_ipv4() == address.is_ipv4())?;
        let bits = network.prefix();
        let ready = found.offset().and_then(|offset| self.records.get(self.known(offset)?));
        if let Some(ready) = ready {
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
