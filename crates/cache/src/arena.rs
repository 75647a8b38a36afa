//! Memory for large pieces of bodies, which the kernel can send without copying them: sparse shared
//! memory (memfd_create(2)) in slots of one size, written as a file, read as a mapping.
//!
//! A page that a socket still has to send must never change. So a slot is not written anew before its
//! pages were given back (`FALLOC_FL_PUNCH_HOLE`): the socket keeps the old ones, the slot gets others.
//!
//! That needs pages of the size of pages: of a large one that reaches over several slots, the kernel
//! gives a part back by overwriting it. So everything stays on the heap where shared memory may come in
//! large pages, and where the system has none of this.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::available_parallelism;

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
/// Half a tebibyte of address space a file, of which only what is filled takes memory.
const SLOTS: u32 = 2 << 20;
const PAGE: usize = 4 << 10;
/// How often large pages are looked for: with each of so many new slots.
const WATCH: u32 = 64;
/// Where the kernel says whether it gives large pages.
const LARGE_PAGES: &str = "/sys/kernel/mm/transparent_hugepage";
/// As it is by default (core(5)), without anonymous shared mappings.
const WITHOUT_SHARED_MEMORY: &str = "0x31";
const BYTES: u64 = SLOTS as u64 * SLOT as u64;

/// Files at most.
const FILES: usize = 16;

/// One for each core, since the kernel lets one thread at a time write to a file or give back what it holds; none
/// where the system has no such memory.
static ARENAS: OnceLock<Vec<Arena>> = OnceLock::new();
/// Nothing more goes in: pages cannot be given back any more.
static CLOSED: AtomicBool = AtomicBool::new(false);
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which of the arenas this thread fills.
    static MINE: usize = THREADS.fetch_add(1, Relaxed);
}

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

impl Backing {
    /// Whether `next` lies right behind the `length` bytes from here on, in the same file.
    pub fn is_followed_by(self, next: Self, length: u64) -> bool {
        std::ptr::eq(self.file, next.file) && self.offset + length == next.offset
    }
}

/// Where `bytes` lie as a file, if they are of a body that does.
pub fn backing(bytes: &[u8]) -> Option<Backing> {
    ARENAS.get()?.iter().find_map(|arena| {
        let offset = bytes.as_ptr().addr().checked_sub(arena.map.as_ptr().addr())? as u64;
        (offset < BYTES).then_some(Backing { file: &arena.file, offset })
    })
}

/// The bytes of `parts` as one piece, or none if it is too small or there is no such memory.
pub(crate) fn join(parts: &[Bytes]) -> Option<Bytes> {
    let len = parts.iter().map(Bytes::len).sum();
    if !(LEAST..=SLOT).contains(&len) {
        return None;
    }
    let arenas = ARENAS.get_or_init(arenas);
    let arena = arenas.get(MINE.with(|mine| mine.checked_rem(arenas.len()))?)?;
    let slot = arena.take()?;
    let piece = Piece { arena, slot, len };
    let mut at = offset(piece.slot);
    for part in parts {
        arena.file.write_all_at(part, at).ok()?;
        at += part.len() as u64;
    }
    Some(Bytes::from_owner(piece))
}

fn arenas() -> Vec<Arena> {
    // Growing a file beyond this limit is answered by a signal.
    let limit = getrlimit(Resource::Fsize).current;
    if limit.is_some_and(|most| most < BYTES) || vmap::page_size() != PAGE || large_pages() {
        return Vec::new();
    }
    // The address space is far larger than what is in it, and would be dumped with the process.
    let _ = std::fs::write("/proc/self/coredump_filter", WITHOUT_SHARED_MEMORY);
    let cores = available_parallelism().map_or(1, usize::from);
    (0..cores.min(FILES)).map_while(|_| Arena::new()).collect()
}

impl Arena {
    fn new() -> Option<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels before 6.3 do not know that flag, and some systems want it.
        let made = memfd_create("bodies", flags | MemfdFlags::NOEXEC_SEAL);
        let file = File::from(made.or_else(|_| memfd_create("bodies", flags)).ok()?);
        file.set_len(BYTES).ok()?;
        // Reading a mapping of what is no more in the file would be a fault.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).ok()?;
        let map = Box::leak(Box::new(Map::with_options().map(&file).ok()?));
        let slots = Mutex::new(Slots { free: BinaryHeap::new(), next: 0 });
        let arena = Self { file, map, slots };
        arena.gives_back().then_some(arena)
    }

    /// Whether a page that is given back is gone; not every system that calls itself Linux does that.
    fn gives_back(&self) -> bool {
        let held = || self.file.metadata().map(|data| data.blocks());
        self.file.write_all_at(&[1; PAGE], 0).is_ok()
            && held().is_ok_and(|blocks| blocks as usize * 512 == PAGE)
            && self.empty(0)
            && held().is_ok_and(|blocks| blocks == 0)
    }

    fn take(&self) -> Option<u32> {
        if CLOSED.load(Relaxed) {
            return None;
        }
        let (slot, fresh) = self.slots.lock().take()?;
        // Whoever runs the machine may change its mind.
        if fresh && slot.is_multiple_of(WATCH) && large_pages() {
            CLOSED.store(true, Relaxed);
            return None;
        }
        Some(slot)
    }

    /// Gives back the pages of a slot.
    fn empty(&self, slot: u32) -> bool {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&self.file, hole, offset(slot), SLOT as u64).is_ok()
    }
}

/// Whether shared memory may come in pages that are larger than others.
fn large_pages() -> bool {
    let chosen = |file: &str| {
        let text = std::fs::read_to_string(Path::new(LARGE_PAGES).join(file)).ok()?;
        let (_, chosen) = text.split_once('[')?;
        Some(chosen.split_once(']')?.0.to_owned())
    };
    let safe = |choice: &str| matches!(choice, "never" | "deny" | "advise");
    let global = chosen("shmem_enabled").is_none_or(|choice| safe(&choice));
    let Ok(sizes) = std::fs::read_dir(LARGE_PAGES) else { return false };
    let of_each_size = |size: std::fs::DirEntry| {
        let file = Path::new(&size.file_name()).join("shmem_enabled");
        file.to_str()
            .and_then(chosen)
            .is_none_or(|choice| safe(&choice) || choice == "inherit" && global)
    };
    !(global && sizes.flatten().all(of_each_size))
}

impl Slots {
    /// A slot, and whether it was never used before.
    fn take(&mut self) -> Option<(u32, bool)> {
        if let Some(Reverse(slot)) = self.free.pop() {
            return Some((slot, false));
        }
        let slot = self.next;
        self.next += u32::from(slot < SLOTS);
        (slot < SLOTS).then_some((slot, true))
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
        if self.arena.empty(self.slot) {
            self.arena.slots.lock().free.push(Reverse(self.slot));
        } else {
            // It cannot be used again, and so it would go with all others.
            CLOSED.store(true, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
