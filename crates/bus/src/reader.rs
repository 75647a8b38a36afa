//! What a node is told of the log, decided from what the log says: pure, the same for every log.
//!
//! The reader vouches for a position: everything up to there was delivered, or cannot matter since the
//! node was empty when it was the newest. The next entry must follow that position directly, else
//! something was missed and the node is told of a [`Gap`](Delivery::Gap).

use std::collections::VecDeque;

use wire::Seq;
use wire::invalidation::LogPosition;

use crate::entry::{Entry, Malformed, read};
use crate::log::{Page, Record};

/// What a node is told next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An entry. In order, and each once between two gaps.
    Event(Entry),
    /// Orders may have been missed: whatever is stored must go. Entries follow from the oldest that is
    /// left, and must all be acknowledged.
    Gap(GapReason),
    /// Everything up to this position was delivered, and it was the newest a moment ago. Told at first,
    /// after entries, after a gap and after an absence.
    CaughtUp(LogPosition),
    /// The log cannot be reached. Told once; [`Delivery::CaughtUp`] says that it is over.
    Away,
}

/// Why orders may have been missed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// It is another log.
    Epoch,
    /// What comes next was forgotten.
    Trimmed,
    /// The log ends before what was read from it.
    Backwards,
    /// The next entry does not follow what was read.
    Broken,
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Epoch, Self::Trimmed, Self::Backwards, Self::Broken];

    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Trimmed => "trimmed",
            Self::Backwards => "backwards",
            Self::Broken => "broken",
        }
    }
}

/// Where a node stands in the log.
#[derive(Debug)]
pub struct Reader {
    /// The last entry delivered.
    cursor: Option<LogPosition>,
    /// Up to where nothing can have been missed; `None` until the log was first looked at.
    vouched: Option<LogPosition>,
    /// After which entry to read on.
    after: Seq,
    /// The node must hear that it caught up, once it has.
    owes_caught_up: bool,
    at_end: bool,
    away: bool,
    queue: VecDeque<Delivery>,
    /// Entries in the queue, and those after them.
    waiting: u64,
    more: u64,
}

impl Reader {
    /// Reads on after `from`; without one, from the oldest entry there is, for a node that is empty.
    pub fn new(from: Option<LogPosition>) -> Self {
        Self {
            after: from.as_ref().map_or(Seq::ZERO, |position| position.seq),
            vouched: from.clone(),
            cursor: from,
            owes_caught_up: true,
            at_end: false,
            away: false,
            queue: VecDeque::new(),
            waiting: 0,
            more: 0,
        }
    }

    /// Up to where everything was delivered; what a restart may go on from. `None` while it is unknown:
    /// at first, and from a gap to the next delivery.
    pub fn cursor(&self) -> Option<&LogPosition> {
        self.cursor.as_ref()
    }

    /// After which id to read the next page.
    pub fn after(&self) -> Seq {
        self.after
    }

    /// How many entries are not delivered yet, as far as the last look told.
    pub fn behind(&self) -> u64 {
        self.waiting + self.more
    }

    /// Whether there was nothing more to read at the last look.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// The next delivery, if there is one without another look at the log.
    pub fn deliver(&mut self) -> Option<Delivery> {
        let delivery = self.queue.pop_front()?;
        self.waiting -= u64::from(matches!(delivery, Delivery::Event(_)));
        match &delivery {
            Delivery::Event(Entry { position, .. }) | Delivery::CaughtUp(position) => {
                self.cursor = Some(position.clone());
            }
            Delivery::Gap(_) => self.cursor = None,
            Delivery::Away => {}
        }
        Some(delivery)
    }

    /// The log could not be reached.
    pub fn away(&mut self) {
        if !self.away {
            self.away = true;
            self.owes_caught_up = true;
            self.at_end = false;
            self.queue.push_back(Delivery::Away);
        }
    }

    /// Takes what the log said of what comes after [`Reader::after`].
    pub fn take(&mut self, page: Page) {
        self.away = false;
        let Page { epoch, last, kept, records, more } = page;
        self.more = more + records.len() as u64;
        let vouched = match &self.vouched {
            None => {
                self.vouched = Some(LogPosition { epoch: epoch.clone(), seq: last });
                last
            }
            Some(vouched) if vouched.epoch != epoch => {
                return self.gap(GapReason::Epoch, epoch, last);
            }
            Some(vouched) => vouched.seq,
        };
        match check(vouched, self.after, last, kept, &records) {
            Err(reason) => self.gap(reason, epoch, last),
            Ok(()) => self.advance(epoch, last, records),
        }
    }

    fn advance(&mut self, epoch: String, last: Seq, records: Vec<Record>) {
        let empty = records.is_empty();
        for record in records {
            let position = LogPosition { epoch: epoch.clone(), seq: record.seq };
            self.after = record.seq;
            if self.vouched.as_ref().is_none_or(|vouched| vouched.seq < record.seq) {
                self.vouched = Some(position.clone());
            }
            let order = record.text.as_deref().ok_or(Malformed::Missing).and_then(read);
            self.queue.push_back(Delivery::Event(Entry { position, order }));
            self.waiting += 1;
            self.more -= 1;
            self.owes_caught_up = true;
        }
        self.at_end = empty || self.after == last;
        if self.at_end {
            self.after = last;
            if std::mem::take(&mut self.owes_caught_up) {
                self.queue.push_back(Delivery::CaughtUp(LogPosition { epoch, seq: last }));
            }
        }
    }

    /// The node empties itself, so that nothing up to `last` can matter to it; it reads all there is
    /// again, to acknowledge it.
    fn gap(&mut self, reason: GapReason, epoch: String, last: Seq) {
        self.vouched = Some(LogPosition { epoch, seq: last });
        self.after = Seq::ZERO;
        self.owes_caught_up = true;
        self.at_end = false;
        self.queue.push_back(Delivery::Gap(reason));
    }
}

/// Whether `records`, read after `after`, show that nothing was missed since `vouched`.
fn check(
    vouched: Seq,
    after: Seq,
    last: Seq,
    kept: bool,
    records: &[Record],
) -> Result<(), GapReason> {
    if last < vouched {
        return Err(GapReason::Backwards);
    }
    // The entry that is directly before the next one now, where that is known.
    let mut before = kept.then_some(after);
    let mut vouched = vouched;
    for record in records {
        if record.seq > vouched {
            match record.prev.or(before) {
                Some(prev) if prev == vouched => {}
                Some(prev) if prev > vouched => return Err(GapReason::Trimmed),
                _ => return Err(GapReason::Broken),
            }
            vouched = record.seq;
        }
        before = Some(record.seq);
    }
    if records.is_empty() && last > vouched {
        return Err(GapReason::Trimmed);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
