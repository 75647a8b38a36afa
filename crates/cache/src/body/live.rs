//! A body while it is being written: pieces, who reads where, who waits.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;

use super::{CHUNK, Truncated, cut};
use crate::slab::Slab;

/// How far a body that is not complete has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// All of it is kept.
    Storing,
    /// Only what readers still need is kept.
    Streaming,
    /// Streaming, and the last byte is in.
    Ended,
    /// No more will come.
    Failed(Truncated),
}

pub(super) struct Live {
    pub(super) phase: Phase,
    pub(super) expected: Option<u64>,
    pub(super) written: u64,
    /// Of these, how many are kept and charged to the accounts.
    pub(super) resident: u64,
    pub(super) pieces: VecDeque<Piece>,
    pub(super) readers: Slab<ReaderSlot>,
    /// Readers that are about to be made, at the first byte.
    pub(super) holds: usize,
    /// The store gave the object up.
    pub(super) detached: bool,
    /// The writer, waiting for the slowest reader.
    pub(super) writer: Option<Waker>,
}

/// Why a reader of a body that is only streamed is told that its own has ended.
pub(super) const FELL_BEHIND: Truncated =
    Truncated("the reader fell behind a body that is not stored");

pub(super) struct Piece {
    pub(super) start: u64,
    pub(super) data: Bytes,
}

pub(super) struct ReaderSlot {
    pub(super) at: u64,
    /// There while it has all there is and waits for more.
    pub(super) waker: Option<Waker>,
    /// It fell too far behind: nothing is kept for it any more.
    pub(super) cut: bool,
}

impl ReaderSlot {
    pub(super) fn new(at: u64) -> Self {
        Self { at, waker: None, cut: false }
    }
}

/// What a reader finds.
pub(super) enum Seen {
    Data(Bytes),
    NotYet,
    End,
    Cut(Truncated),
}

impl Live {
    pub(super) fn new(expected: Option<u64>) -> Self {
        Self {
            phase: Phase::Storing,
            expected,
            written: 0,
            resident: 0,
            pieces: VecDeque::new(),
            readers: Slab::new(),
            holds: 0,
            detached: false,
            writer: None,
        }
    }

    pub(super) fn push(&mut self, data: Bytes) {
        let start = self.written;
        self.written += data.len() as u64;
        self.pieces.push_back(Piece { start, data });
    }

    /// Puts `data`, the same bytes in one piece, in the place of the last pieces.
    pub(super) fn replace_tail(&mut self, data: Bytes) {
        let start = self.written - data.len() as u64;
        while self.pieces.back().is_some_and(|piece| piece.start >= start) {
            self.pieces.pop_back();
        }
        self.pieces.push_back(Piece { start, data });
    }

    pub(super) fn look(&self, at: u64, end: u64) -> Seen {
        if at < self.written {
            let next = self.pieces.partition_point(|piece| piece.start <= at);
            let found = next
                .checked_sub(1)
                .and_then(|i| self.pieces.get(i))
                .and_then(|piece| cut(&piece.data, piece.start, at, end));
            return match found {
                Some(data) => Seen::Data(data),
                None => Seen::Cut(FELL_BEHIND),
            };
        }
        match self.phase {
            Phase::Storing | Phase::Streaming => Seen::NotYet,
            Phase::Ended => Seen::End,
            Phase::Failed(why) => Seen::Cut(why),
        }
    }

    pub(super) fn has_beginning(&self) -> bool {
        if matches!(self.phase, Phase::Failed(_)) {
            return false;
        }
        self.written == 0 || self.pieces.front().is_some_and(|piece| piece.start == 0)
    }

    /// Where the slowest reader is.
    pub(super) fn slowest(&self) -> Option<u64> {
        let going_on = self.readers.iter().filter(|reader| !reader.cut);
        going_on.map(|reader| reader.at).min()
    }

    /// Whether the slowest reader is no more than `window` behind; none when there is no reader, and
    /// none is about to be made.
    pub(super) fn has_room(&self, window: u64) -> Option<bool> {
        match self.slowest() {
            None if self.holds == 0 => None,
            slowest => Some(self.written.saturating_sub(slowest.unwrap_or(0)) <= window),
        }
    }

    /// Whether a reader waits for more. As long as none does, all are busy, and the writer need not
    /// be faster than they are.
    pub(super) fn is_awaited(&self) -> bool {
        self.readers.iter().any(|reader| reader.waker.is_some())
    }

    /// Gives up the readers more than `window` behind.
    pub(super) fn cut_laggards(&mut self, window: u64) {
        let least = self.written.saturating_sub(window);
        for reader in self.readers.iter_mut() {
            reader.cut |= reader.at < least;
        }
    }

    /// While streaming, forgets what no reader needs; how many bytes that were.
    ///
    /// A reader about to be made counts for `window` bytes and not for ever: one that never comes
    /// must not pin a body without end.
    pub(super) fn trim(&mut self, window: u64) -> u64 {
        if !matches!(self.phase, Phase::Streaming | Phase::Ended) {
            return 0;
        }
        let mut needed = self.slowest().unwrap_or(self.written);
        if self.holds > 0 {
            needed = needed.min(self.written.saturating_sub(window));
        }
        let mut freed = 0;
        while let Some(first) = self.pieces.front()
            && first.start + first.data.len() as u64 <= needed
        {
            freed += first.data.len() as u64;
            self.pieces.pop_front();
        }
        freed
    }

    /// Takes the wakers of all readers, to be woken without the lock.
    pub(super) fn wakers(&mut self) -> Vec<Waker> {
        self.readers.iter_mut().filter_map(|reader| reader.waker.take()).collect()
    }

    /// The pieces of a body that is complete: one, or chunks of the one size.
    pub(super) fn into_chunks(self) -> Box<[Bytes]> {
        debug_assert!(self.pieces.iter().rev().skip(1).all(|piece| piece.data.len() == CHUNK));
        self.pieces.into_iter().map(|piece| piece.data).collect()
    }
}
