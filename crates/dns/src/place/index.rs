//! IPv4 networks laid out for the processor. A walk through the tree of a large database waits for memory at almost
//! every bit; here an address is found with three or four waits.

use std::net::Ipv4Addr;

/// Bits of an entry that say how long its network's prefix is, 0 to 32; those above are its record.
const LENGTH: u32 = 6;
/// The record of a network that has none.
const NONE: u32 = (1 << (32 - LENGTH)) - 1;
/// Addresses that are looked at together at most.
pub(super) const AT_ONCE: usize = 32;
/// Parts of the address space with a list each.
const PARTS: usize = 1 << 16;

/// All of IPv4 as networks without a gap, each with the number of a record or none.
#[derive(Debug)]
pub(super) struct Index {
    /// For each /16 where its networks begin, and where the last one's end.
    parts: Box<[u32]>,
    /// The last 16 bits of the first address of each network, or 0 if that is before the /16.
    starts: Box<[u16]>,
    /// Record and length of each.
    entries: Box<[u32]>,
}

/// Makes an [`Index`] of networks in the order of their addresses.
#[derive(Debug, Default)]
pub(super) struct Builder {
    parts: Vec<u32>,
    starts: Vec<u16>,
    entries: Vec<u32>,
    /// The first address that has no network yet.
    next: u64,
}

impl Builder {
    /// The next network. Says whether it fits: it begins where the last one ended, and its numbers are not too large.
    #[must_use]
    pub(super) fn push(&mut self, first: Ipv4Addr, length: u8, record: Option<usize>) -> bool {
        let first = u32::from(first);
        let Some(size) = 32u8.checked_sub(length).map(|bits| 1u64 << bits) else { return false };
        if u64::from(first) != self.next {
            return false;
        }
        let record = match record.map(u32::try_from) {
            None => NONE,
            Some(Ok(record)) if record < NONE => record,
            Some(_) => return false,
        };
        self.next += size;
        let entry = record << LENGTH | u32::from(length);
        // Once for each /16 that it reaches into.
        let mut at = u64::from(first);
        while at < self.next {
            if at % PARTS as u64 == 0 {
                let Ok(here) = u32::try_from(self.entries.len()) else { return false };
                self.parts.push(here);
            }
            self.starts.push(at as u16);
            self.entries.push(entry);
            at = (at / PARTS as u64 + 1) * PARTS as u64;
        }
        true
    }

    /// The index, if the networks were all of IPv4.
    pub(super) fn finish(mut self) -> Option<Index> {
        if self.next != 1 << 32 {
            return None;
        }
        self.parts.push(u32::try_from(self.entries.len()).ok()?);
        Some(Index {
            parts: self.parts.into(),
            starts: self.starts.into(),
            entries: self.entries.into(),
        })
    }
}

impl Index {
    /// Looks at what [`find`](Self::find) will need for these addresses, step by step for all of them: so the processor
    /// waits for memory once for all, and not once for each. Says which records they have.
    pub(super) fn warm(&self, addresses: &[u32], records: &mut [usize]) {
        let mut at = [(0, 0); AT_ONCE];
        let together = addresses.iter().zip(&mut at);
        for (address, (from, to)) in together {
            let part = (address >> 16) as usize;
            (*from, *to) = (self.parts[part] as usize, self.parts[part + 1] as usize);
        }
        for (address, (from, to)) in addresses.iter().zip(&mut at) {
            let starts = &self.starts[*from..*to];
            *from += starts.partition_point(|start| *start <= *address as u16).saturating_sub(1);
        }
        for ((_, (at, _)), record) in addresses.iter().zip(&at).zip(records) {
            *record = (self.entries[*at] >> LENGTH) as usize;
        }
    }

    /// The record of an address if it has one, and the length of its network's prefix.
    pub(super) fn find(&self, address: Ipv4Addr) -> (Option<usize>, u8) {
        let address = u32::from(address);
        let part = (address >> 16) as usize;
        let (from, to) = (self.parts[part] as usize, self.parts[part + 1] as usize);
        let before = self.starts[from..to].partition_point(|start| *start <= address as u16);
        // The first of a part begins with it.
        let entry = self.entries[from + before.saturating_sub(1)];
        let record = entry >> LENGTH;
        ((record != NONE).then_some(record as usize), (entry & ((1 << LENGTH) - 1)) as u8)
    }
}
