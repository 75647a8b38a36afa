//! The newest orders about one thing, and what they say of an object.

use semantics::Timestamp;
use wire::Seq;

use super::END;

/// An order: its number in this store, which objects are checked by, and its position in the log,
/// which they are vouched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) number: u64,
    pub(crate) seq: Seq,
}

impl Mark {
    /// Whether it is about what was held against all orders up to `since` and is vouched for up to
    /// `vouched`, should it match.
    pub(crate) fn reaches(self, since: u64, vouched: Seq) -> bool {
        self.number > since && self.seq > vouched
    }
}

/// The newest hard and the newest soft order, of the log and of this node alone. Older ones say
/// nothing that these do not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Generation {
    logged: Newest,
    /// Apart, because a later one of the log is about less: not about what is vouched for past it.
    local: Newest,
}

#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    hard: Option<Mark>,
    soft: Option<(Mark, Timestamp)>,
}

impl Generation {
    pub(crate) fn hard(&mut self, mark: Mark) {
        self.newest(mark).hard = Some(mark);
    }

    pub(crate) fn soft(&mut self, mark: Mark, at: Timestamp) {
        self.newest(mark).soft = Some((mark, at));
    }

    pub(crate) fn judge(&self, since: u64, vouched: Seq) -> Matched {
        self.logged.judge(since, vouched).and(self.local.judge(since, vouched))
    }

    fn newest(&mut self, mark: Mark) -> &mut Newest {
        if mark.seq == END { &mut self.local } else { &mut self.logged }
    }
}

impl Newest {
    fn judge(&self, since: u64, vouched: Seq) -> Matched {
        let hard = self.hard.filter(|mark| mark.reaches(since, vouched)).map(|mark| mark.number);
        let soft = self.soft.filter(|(mark, _)| mark.reaches(since, vouched));
        Matched { hard, soft: soft.map(|(mark, at)| (mark.number, at)) }
    }
}

/// What matched something: the newest hard order and the newest soft one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) hard: Option<u64>,
    pub(crate) soft: Option<(u64, Timestamp)>,
}

impl Matched {
    pub(crate) fn and(self, other: Self) -> Self {
        Self { hard: self.hard.max(other.hard), soft: self.soft.max(other.soft) }
    }

    /// The newest of all: whoever came after it must not be given what matched.
    pub(crate) fn newest(self) -> Option<u64> {
        self.hard.max(self.soft.map(|(number, _)| number))
    }
}
