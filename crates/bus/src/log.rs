//! A log in memory: pure data, no clock and no waiting.

use std::collections::VecDeque;

use wire::Seq;
use wire::invalidation::LogPosition;

/// One entry as a log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub seq: Seq,
    /// The id of the entry appended before it, [`Seq::ZERO`] if it was the first; `None` when somebody
    /// wrote the entry without saying so.
    pub prev: Option<Seq>,
    /// The order, as JSON; `None` when somebody wrote the entry without one.
    pub text: Option<String>,
}

/// What a log says when it is read: all of it is true at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Names the log.
    pub epoch: String,
    /// The newest id that was ever given out in this log, [`Seq::ZERO`] if none was.
    pub last: Seq,
    /// Whether the entry after which was read is itself still there.
    pub kept: bool,
    /// The oldest entries after that one, in order, without a hole between two of them.
    pub records: Vec<Record>,
    /// How many come after these. For people: nothing is decided by it.
    pub more: u64,
}

/// Entries of one log, bounded in number and bytes.
#[derive(Debug)]
pub struct MemoryLog {
    epoch: String,
    records: VecDeque<Record>,
    last: Seq,
    /// The newest id ever given out, lost ones included: an id never names two entries.
    highest: Seq,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl MemoryLog {
    /// An empty log that keeps at most `most` entries, and at most `most_bytes` bytes of orders; the
    /// newest entry is kept in any case.
    pub fn new(epoch: String, most: usize, most_bytes: usize) -> Self {
        Self {
            epoch,
            records: VecDeque::new(),
            last: Seq::ZERO,
            highest: Seq::ZERO,
            bytes: 0,
            most: most.max(1),
            most_bytes,
        }
    }

    /// Names the log.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The newest id that was given out, [`Seq::ZERO`] if none was.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// The oldest entry that is still there.
    pub fn first(&self) -> Option<Seq> {
        self.records.front().map(|record| record.seq)
    }

    /// Bytes of the orders kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends an order; its id is `now_ms` in milliseconds since 1970 or, if that is not newer than
    /// the newest, follows that one.
    pub fn append(&mut self, text: String, now_ms: u64) -> LogPosition {
        let seq = match self.highest {
            Seq { ms, .. } if now_ms > ms => Seq { ms: now_ms, n: 0 },
            Seq { ms, n: u64::MAX } => Seq { ms: ms.saturating_add(1), n: 0 },
            Seq { ms, n } => Seq { ms, n: n + 1 },
        };
        self.bytes += text.len();
        self.records.push_back(Record { seq, prev: Some(self.last), text: Some(text) });
        self.last = seq;
        self.highest = seq;
        while self.records.len() > self.most
            || (self.bytes > self.most_bytes && self.records.len() > 1)
        {
            self.drop_oldest();
        }
        LogPosition { epoch: self.epoch.clone(), seq }
    }

    /// At most `most` entries after `after`.
    pub fn read(&self, after: Seq, most: usize) -> Page {
        let from = self.records.partition_point(|record| record.seq <= after);
        let more = self.records.len().saturating_sub(from).saturating_sub(most);
        Page {
            epoch: self.epoch.clone(),
            last: self.last,
            kept: self.holds(after),
            records: self.records.iter().skip(from).take(most).cloned().collect(),
            more: more as u64,
        }
    }

    /// Whether the entry is there.
    pub fn holds(&self, seq: Seq) -> bool {
        self.records.binary_search_by_key(&seq, |record| record.seq).is_ok()
    }

    /// Forgets all but the newest `keep` entries.
    pub fn trim(&mut self, keep: usize) {
        while self.records.len() > keep {
            self.drop_oldest();
        }
    }

    /// A fault: fails over to a copy that lacked the newest `n` entries.
    pub fn lose_tail(&mut self, n: usize) {
        for _ in 0..n {
            let Some(lost) = self.records.pop_back() else { return };
            self.bytes -= lost.text.map_or(0, |text| text.len());
            // Without the entry itself to say so, the first of all has none before it.
            self.last = lost.prev.unwrap_or(Seq::ZERO);
        }
    }

    /// A fault: as [`MemoryLog::lose_tail`], and the clock of the copy may be behind, so that its ids may be
    /// smaller than the lost ones. (Times given from then on must not be those of lost entries: that no id
    /// names two entries is up to the caller.)
    pub fn lose_tail_and_time(&mut self, n: usize) {
        self.lose_tail(n);
        self.highest = self.last;
    }

    /// A fault: starts anew with nothing, as another log.
    pub fn restart_empty(&mut self, epoch: String) {
        *self = Self::new(epoch, self.most, self.most_bytes);
    }

    /// A fault: somebody writes an entry by hand, with whatever text and `prev`.
    pub fn append_raw(&mut self, text: Option<String>, prev: Option<Seq>, now_ms: u64) -> Seq {
        let seq = self.append(text.clone().unwrap_or_default(), now_ms).seq;
        if let Some(record) = self.records.back_mut() {
            record.text = text;
            record.prev = prev;
        }
        seq
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.records.pop_front() {
            self.bytes -= oldest.text.map_or(0, |text| text.len());
        }
    }
}

#[cfg(test)]
mod tests;
