//! Pages on their way to a socket (vmsplice(2), splice(2)). For long runs that is cheaper than
//! sendfile(2), which looks up every page of its file.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use nix::fcntl::{SpliceFFlags, vmsplice};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use smallvec::SmallVec;
use tokio::net::TcpStream;

/// What a pipe holds.
const BYTES: usize = 512 << 10;
/// Pipes of the process: the kernel grants a user who is not root 64 MiB of them in all, and that user
/// may be others, too. Connections beyond that do without.
const MOST: usize = 16;

/// Empty ones that a thread keeps.
const SPARES: usize = 2;

static OPEN: AtomicUsize = AtomicUsize::new(0);
/// A system that gave none of use will not do so later.
static REFUSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Empty ones, so that a body does not cost two descriptors' making.
    static SPARE: RefCell<Vec<Pipe>> = const { RefCell::new(Vec::new()) };
}

pub(super) struct Pipe {
    out: OwnedFd,
    into: OwnedFd,
    /// What is in it, still to be sent: where it lies, and how many bytes.
    ahead: VecDeque<(usize, usize)>,
}

impl Pipe {
    /// None when there are enough, or the system gives no such pipe.
    pub(super) fn get() -> Option<Self> {
        if let Some(spare) = SPARE.with_borrow_mut(Vec::pop) {
            return Some(spare);
        }
        if REFUSED.load(Relaxed) {
            return None;
        }
        if OPEN.fetch_add(1, Relaxed) >= MOST {
            OPEN.fetch_sub(1, Relaxed);
            return None;
        }
        let made = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).and_then(|(out, into)| {
            fcntl_setpipe_size(&into, BYTES)?;
            Ok((out, into))
        });
        let Ok((out, into)) = made else {
            REFUSED.store(true, Relaxed);
            OPEN.fetch_sub(1, Relaxed);
            return None;
        };
        Some(Self { out, into, ahead: VecDeque::new() })
    }

    /// Itself while something is in it; otherwise the next connection may have it.
    pub(super) fn unless_empty(self) -> Option<Self> {
        if self.ahead.is_empty() {
            self.give_back();
            return None;
        }
        Some(self)
    }

    /// For the next connection, unless there is still something in it.
    pub(super) fn give_back(self) {
        if self.ahead.is_empty() {
            // A thread that ends has none any more.
            let _ = SPARE.try_with(|spare| {
                let mut spare = spare.borrow_mut();
                if spare.len() < SPARES {
                    spare.push(self);
                }
            });
        }
    }

    /// Sends of a run of slices what the socket takes; none, with nothing sent, if this pipe is of no
    /// use for it.
    pub(super) fn send(
        &mut self,
        stream: &TcpStream,
        run: &[IoSlice<'_>],
        length: usize,
    ) -> Option<Result<usize, Errno>> {
        let mut sent = 0;
        while sent < length {
            let rest = behind(run, sent);
            if self.ahead.is_empty() {
                self.fill(&rest);
            }
            let part = self.agrees_with(&rest);
            if part == 0 {
                return (sent > 0).then_some(Ok(sent));
            }
            let mut flags = SpliceFlags::NONBLOCK;
            flags.set(SpliceFlags::MORE, sent + part < length);
            match splice(&self.out, None, stream, None, part, flags) {
                Ok(some) => {
                    self.left(some);
                    sent += some;
                    if some < part {
                        break;
                    }
                }
                Err(_) if sent > 0 => break,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(sent))
    }

    /// Takes up the pages of slices; nothing, if they cannot be had.
    fn fill(&mut self, slices: &[IoSlice<'_>]) {
        let taken = vmsplice(&self.into, slices, SpliceFFlags::SPLICE_F_NONBLOCK);
        REFUSED.fetch_or(taken.is_err(), Relaxed);
        let mut taken = taken.unwrap_or(0);
        for slice in slices {
            let some = slice.len().min(taken);
            taken -= some;
            if let (Some(at), 1..) = (place(slice), some) {
                self.ahead.push_back((at, some));
            }
        }
    }

    /// How many bytes that are in it are those of `slices`, from the first on.
    fn agrees_with(&self, slices: &[IoSlice<'_>]) -> usize {
        let mut bytes = 0;
        for ((at, length), slice) in self.ahead.iter().zip(slices) {
            if Some(*at) != place(slice) {
                return bytes;
            }
            bytes += slice.len().min(*length);
            if slice.len() != *length {
                return bytes;
            }
        }
        bytes
    }

    /// So many bytes left for the socket.
    fn left(&mut self, mut bytes: usize) {
        while let Some((at, length)) = self.ahead.front_mut() {
            let some = bytes.min(*length);
            bytes -= some;
            *at += some;
            *length -= some;
            if *length > 0 {
                break;
            }
            self.ahead.pop_front();
        }
    }
}

/// Its address, which tells it from what lies in any other file.
fn place(slice: &IoSlice<'_>) -> Option<usize> {
    cache::backing(slice).map(|_| slice.as_ptr().addr())
}

/// What is left of slices behind so many bytes.
fn behind<'a>(slices: &'a [IoSlice<'_>], mut bytes: usize) -> SmallVec<[IoSlice<'a>; 16]> {
    let mut rest = SmallVec::new();
    for slice in slices {
        let skipped = bytes.min(slice.len());
        bytes -= skipped;
        if skipped < slice.len() {
            rest.push(IoSlice::new(&slice[skipped..]));
        }
    }
    rest
}

impl Drop for Pipe {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Relaxed);
    }
}
