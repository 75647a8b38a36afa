//! Who owns which name.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::packet::Name;

/// What is at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nothing, but it exists: there are names below it.
    Nothing,
    /// The addresses of this pool's PoPs.
    Pool(usize),
    /// The addresses of this name server of the zone.
    Server(usize),
    /// The addresses of a single PoP, as [`Fleet::place`](super::Fleet::place) counts them.
    Place(usize),
}

/// What became of the search for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is in no zone.
    Outside,
    /// It does not exist in this zone.
    Missing {
        /// The zone.
        zone: usize,
    },
    /// It exists.
    Found {
        /// The zone.
        zone: usize,
        /// What is there.
        owner: Owner,
        /// Whether it is the zone's own name.
        apex: bool,
    },
}

#[derive(Debug)]
struct Entry {
    name: Box<[u8]>,
    zone: usize,
    apex: bool,
    owner: Owner,
    wildcard: Option<usize>,
}

/// All names that exist, by their bytes.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: HashTable<Entry>,
    /// Labels of the longest.
    deepest: usize,
}

impl Names {
    fn entry(&self, name: &[u8]) -> Option<&Entry> {
        self.table.find(xxh3_64(name), |entry| *entry.name == *name)
    }

    /// The entry of a name, made with its parents up to the zone's name if it is not there.
    fn make(&mut self, name: &[u8], zone: usize) -> Option<&mut Entry> {
        let mut next = Name::read(name);
        self.deepest = self.deepest.max(next?.labels());
        while let Some(name) = next.filter(|name| self.entry(name.bytes()).is_none()) {
            let (apex, owner, wildcard) = (false, Owner::Nothing, None);
            let entry = Entry { name: name.bytes().into(), zone, apex, owner, wildcard };
            let hash = |entry: &Entry| xxh3_64(&entry.name);
            self.table.insert_unique(xxh3_64(name.bytes()), entry, hash);
            next = name.parent();
        }
        self.table.find_mut(xxh3_64(name), |entry| *entry.name == *name)
    }

    /// A zone. Those around it were there before.
    pub(super) fn zone(&mut self, apex: &[u8], zone: usize) {
        // Alone, without its parents: they are others' or nobody's.
        let Some(name) = Name::read(apex) else { return };
        self.deepest = self.deepest.max(name.labels());
        let entry =
            Entry { name: apex.into(), zone, apex: true, owner: Owner::Nothing, wildcard: None };
        let hash = xxh3_64(apex);
        match self.table.find_mut(hash, |entry| *entry.name == *apex) {
            Some(there) => *there = entry,
            None => {
                self.table.insert_unique(hash, entry, |entry| xxh3_64(&entry.name));
            }
        }
    }

    /// The innermost zone that a name is in.
    pub(super) fn zone_of(&self, name: &[u8]) -> Option<usize> {
        let mut next = Name::read(name);
        while let Some(name) = next {
            if let Some(entry) = self.entry(name.bytes()) {
                return Some(entry.zone);
            }
            next = name.parent();
        }
        None
    }

    /// What is at a name.
    pub(super) fn own(&mut self, name: &[u8], zone: usize, owner: Owner) {
        if let Some(entry) = self.make(name, zone).filter(|entry| entry.zone == zone) {
            entry.owner = owner;
        }
    }

    /// The same, unless something else is there.
    pub(super) fn own_if_free(&mut self, name: &[u8], zone: usize, owner: Owner) {
        let free = |entry: &&mut Entry| entry.zone == zone && entry.owner == Owner::Nothing;
        if let Some(entry) = self.make(name, zone).filter(free) {
            entry.owner = owner;
        }
    }

    /// What is at all names below this one that do not exist themselves.
    pub(super) fn wildcard(&mut self, parent: &[u8], zone: usize, pool: usize) {
        if let Some(entry) = self.make(parent, zone).filter(|entry| entry.zone == zone) {
            entry.wildcard = Some(pool);
        }
    }

    /// Who owns a name. Looks at no more names than the longest that exists has labels.
    //= rfc4592#3.3.1
    pub(super) fn lookup(&self, name: Name<'_>) -> Lookup {
        let mut next = name;
        let mut skipped = name.labels().saturating_sub(self.deepest);
        loop {
            let entry = if skipped > 0 { None } else { self.entry(next.bytes()) };
            let Some(entry) = entry else {
                let Some(parent) = next.parent() else { return Lookup::Outside };
                next = parent;
                skipped = skipped.saturating_sub(1);
                continue;
            };
            let zone = entry.zone;
            return match entry.wildcard {
                _ if next == name => Lookup::Found { zone, owner: entry.owner, apex: entry.apex },
                Some(pool) => Lookup::Found { zone, owner: Owner::Pool(pool), apex: false },
                None => Lookup::Missing { zone },
            };
        }
    }
}
