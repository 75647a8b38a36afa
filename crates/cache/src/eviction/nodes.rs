//! The nodes of the policies' lists: 32 bytes each, linked by number, in blocks that never move.

use std::sync::atomic::Ordering::Relaxed;

use super::Unit;

/// No node.
pub(super) const NONE: u32 = u32::MAX;
/// Bytes of a node.
pub(crate) const NODE: u64 = size_of::<Node>() as u64;

/// Weights are counted in this many bytes, so that 32 bits hold them.
const GRANULE: u64 = 16;
const BLOCK: usize = 1024;

pub(super) struct Node {
    unit: Option<Unit>,
    prev: u32,
    next: u32,
    granules: u32,
    /// Which of its policy's lists it is in.
    pub(super) list: u8,
    /// When it was last used, in what its policy takes for time.
    used: [u8; 3],
}

pub(super) struct Nodes {
    blocks: Vec<Box<[Node]>>,
    free: u32,
    len: usize,
}

/// A doubly linked list of nodes and the sum of their weights.
#[derive(Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
    granules: u64,
    len: usize,
    /// What nodes in it carry in `list`.
    number: u8,
}

impl Nodes {
    pub(super) const fn new() -> Self {
        Self { blocks: Vec::new(), free: NONE, len: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A free node for `unit`, in no list yet.
    pub(super) fn add(&mut self, unit: Unit) -> u32 {
        if self.free == NONE {
            self.grow();
        }
        let id = self.free;
        unit.tally().node.store(id, Relaxed);
        let node = self.at(id);
        let next = node.next;
        node.granules = granules(unit.bytes_used());
        node.unit = Some(unit);
        self.free = next;
        self.len += 1;
        id
    }

    /// Frees a node that is in no list.
    pub(super) fn take(&mut self, id: u32) -> Option<Unit> {
        let free = self.free;
        let node = self.at(id);
        let unit = node.unit.take()?;
        node.next = free;
        self.free = id;
        self.len -= 1;
        Some(unit)
    }

    pub(super) fn replace(&mut self, id: u32, unit: Unit) -> Option<Unit> {
        self.at(id).unit.replace(unit)
    }

    pub(super) fn unit(&self, id: u32) -> Option<&Unit> {
        let (block, index) = place(id);
        self.blocks.get(block)?[index].unit.as_ref()
    }

    pub(super) fn hash(&self, id: u32) -> u64 {
        self.unit(id).map_or(0, Unit::hash)
    }

    pub(super) fn list(&self, id: u32) -> u8 {
        self.get(id).list
    }

    /// Notes a use; of `now`, 24 bits are kept.
    pub(super) fn set_used(&mut self, id: u32, now: u32) {
        let [low, middle, high, _] = now.to_le_bytes();
        self.at(id).used = [low, middle, high];
    }

    /// How long before `now` it was last used.
    pub(super) fn unused_for(&self, id: u32, now: u32) -> u32 {
        let [low, middle, high] = self.get(id).used;
        now.wrapping_sub(u32::from_le_bytes([low, middle, high, 0])) & 0xff_ffff
    }

    pub(super) fn bytes(&self, id: u32) -> u64 {
        u64::from(self.get(id).granules) * GRANULE
    }

    /// Weighs a unit again: transformed bodies may have been added. Only while in no list.
    pub(super) fn weigh(&mut self, id: u32) {
        if let Some(bytes) = self.unit(id).map(Unit::bytes_used) {
            self.at(id).granules = granules(bytes);
        }
    }

    fn get(&self, id: u32) -> &Node {
        let (block, index) = place(id);
        &self.blocks[block][index]
    }

    fn at(&mut self, id: u32) -> &mut Node {
        let (block, index) = place(id);
        &mut self.blocks[block][index]
    }

    fn grow(&mut self) {
        let first = (self.blocks.len() * BLOCK) as u32;
        let node = |i: u32| Node {
            unit: None,
            prev: NONE,
            next: if ((i + 1) as usize).is_multiple_of(BLOCK) { NONE } else { i + 1 },
            granules: 0,
            list: 0,
            used: [0; 3],
        };
        self.blocks.push((first..first + BLOCK as u32).map(node).collect());
        self.free = first;
    }
}

impl List {
    pub(super) const fn new(number: u8) -> Self {
        Self { head: NONE, tail: NONE, granules: 0, len: 0, number }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.granules * GRANULE
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The node at the far end.
    pub(super) fn last(&self) -> Option<u32> {
        (self.tail != NONE).then_some(self.tail)
    }

    pub(super) fn push(&mut self, nodes: &mut Nodes, id: u32) {
        let head = self.head;
        let number = self.number;
        let node = nodes.at(id);
        node.prev = NONE;
        node.next = head;
        node.list = number;
        self.granules += u64::from(node.granules);
        self.len += 1;
        match head {
            NONE => self.tail = id,
            head => nodes.at(head).prev = id,
        }
        self.head = id;
    }

    pub(super) fn remove(&mut self, nodes: &mut Nodes, id: u32) {
        let Node { prev, next, granules, .. } = *nodes.get(id);
        match prev {
            NONE => self.head = next,
            prev => nodes.at(prev).next = next,
        }
        match next {
            NONE => self.tail = prev,
            next => nodes.at(next).prev = prev,
        }
        self.granules -= u64::from(granules);
        self.len -= 1;
    }

    pub(super) fn pop(&mut self, nodes: &mut Nodes) -> Option<u32> {
        let id = self.last()?;
        self.remove(nodes, id);
        Some(id)
    }

    /// To the near end.
    pub(super) fn renew(&mut self, nodes: &mut Nodes, id: u32) {
        if self.head != id {
            self.remove(nodes, id);
            self.push(nodes, id);
        }
    }
}

fn place(id: u32) -> (usize, usize) {
    (id as usize / BLOCK, id as usize % BLOCK)
}

fn granules(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(GRANULE)).unwrap_or(u32::MAX)
}
