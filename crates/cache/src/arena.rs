//! Memory for large pieces of bodies, which the kernel can send without copying them: sparse shared
//! memory (memfd_create(2)) in slots of one size, written as a file, read as a mapping.
//!
//! A page that a socket still has to send must never change. So a slot is not written anew before its
//! pages were given back (`FALLOC_FL_PUNCH_HOLE`): the socket keeps the old ones, the slot gets others.
//!
//! Where the system has none of this, everything stays on the heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use bytes::Bytes;
use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, getrlimit};
use vmap::Map;

use crate::body::CHUNK;

/// Pieces from this size on: below it, copying costs less than the pages' bookkeeping.
const LEAST: usize = 32 << 10;
/// Bytes of address space a piece has, whatever it fills of them.
const SLOT: usize = CHUNK;
/// Half a tebibyte of address space, of which only what is filled takes memory.
const SLOTS: u32 = 2 << 20;
const BYTES: u64 = SLOTS as u64 * SLOT as u64;

/// One for the process: a number for a page tells a socket all it needs.
static ARENA: OnceLock<Option<Arena>> = OnceLock::new();

struct Arena {
    file: File,
    map: &'static [u8],
    slots: Mutex<Slots>,
}

struct Slots {
    /// The lowest first, so that the pieces of one body follow each other.
    free: BinaryHeap<Reverse<u32>>,
    /// None of those from here on was ever used.
    next: u32,
}

/// Where bytes of a body lie as a file.
#[derive(Clone, Copy, Debug)]
pub struct Backing {
    /// What they lie in.
    pub file: &'static File,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// Where `bytes` lie as a file, if they are of a body that does.
pub fn backing(bytes: &[u8]) -> Option<Backing> {
    let arena = ARENA.get()?.as_ref()?;
    let offset = bytes.as_ptr().addr().checked_sub(arena.map.as_ptr().addr())? as u64;
    (offset < BYTES).then_some(Backing { file: &arena.file, offset })
}

/// The bytes of `parts` as one piece, or none if it is too small or there is no such memory.
pub(crate) fn join(parts: &[Bytes]) -> Option<Bytes> {
    let len = parts.iter().map(Bytes::len).sum();
    if !(LEAST..=SLOT).contains(&len) {
        return None;
    }
    let arena = ARENA.get_or_init(Arena::new).as_ref()?;
    let slot = arena.slots.lock().take()?;
    let piece = Piece { arena, slot, len };
    let mut at = offset(piece.slot);
    for part in parts {
        arena.file.write_all_at(part, at).ok()?;
        at += part.len() as u64;
    }
    Some(Bytes::from_owner(piece))
}

impl Arena {
    fn new() -> Option<Self> {
        // Growing a file beyond this limit is answered by a signal.
        if getrlimit(Resource::Fsize).current.is_some_and(|most| most < BYTES) {
            return None;
        }
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = File::from(memfd_create("bodies", flags).ok()?);
        file.set_len(BYTES).ok()?;
        // Reading a mapping of what is no more in the file would be a fault.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).ok()?;
        let map = Box::leak(Box::new(Map::with_options().map(&file).ok()?));
        let slots = Mutex::new(Slots { free: BinaryHeap::new(), next: 0 });
        Some(Self { file, map, slots })
    }
}

impl Slots {
    fn take(&mut self) -> Option<u32> {
        if let Some(Reverse(slot)) = self.free.pop() {
            return Some(slot);
        }
        let slot = self.next;
        self.next += u32::from(slot < SLOTS);
        (slot < SLOTS).then_some(slot)
    }
}

/// What is written of a slot.
struct Piece {
    arena: &'static Arena,
    slot: u32,
    len: usize,
}

fn offset(slot: u32) -> u64 {
    u64::from(slot) * SLOT as u64
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.arena.map[offset(self.slot) as usize..][..self.len]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        // A slot that could not be emptied is never used again.
        if fallocate(&self.arena.file, hole, offset(self.slot), SLOT as u64).is_ok() {
            self.arena.slots.lock().free.push(Reverse(self.slot));
        }
    }
}

#[cfg(test)]
mod tests;
