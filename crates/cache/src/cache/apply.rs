//! Orders to invalidate, applied.

use std::sync::Arc;

use semantics::Timestamp;
use wire::Seq;
use wire::invalidation::How;

use super::{Cache, Invalidate};
use crate::invalidation::{
    Applied, BadOrder, BanInfo, Counted, END, Fields, Judged, Kind, Matcher, Order, Position,
    Subject, What,
};
use crate::object::Object;

impl Cache {
    /// How far a request that arrives now sees.
    pub fn position(&self) -> Position {
        Position(self.orders.latest())
    }

    /// Everything in the log up to here has taken effect: what a hit found from now on is vouched for.
    pub fn applied(&self) -> Seq {
        self.orders.applied()
    }

    /// What a request sent upstream now must be answered from: what is being applied, too.
    pub fn asked(&self) -> Seq {
        self.orders.sent().0
    }

    /// Applies the entry at `seq` of the log. Entries come in order; one that comes again does no harm.
    ///
    /// When this returns, nothing that was stored before is given to anybody in spite of the order;
    /// where that is not undone at once, memory is freed by [`sweep`](Self::sweep).
    ///
    /// # Errors
    /// When there are too many bans; then nothing was applied but the position.
    pub fn apply(&self, seq: Seq, order: &Order, now: Timestamp) -> Result<Applied, BadOrder> {
        // Who asks upstream from now on asks for what is newer than the order …
        self.orders.raise(seq);
        let applied = self.carry_out(seq, order, now);
        // … and who is told of this position finds nothing older.
        self.orders.settled(seq);
        applied
    }

    /// Applies an order of this node alone, which is not in the log.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_here(&self, order: &Order, now: Timestamp) -> Result<Applied, BadOrder> {
        self.carry_out(END, order, now)
    }

    /// The counts of bans that were lifted or ended before a sweep counted them, each once.
    pub fn take_gone(&self) -> Vec<Counted> {
        self.orders.take_gone()
    }

    /// The position moves on over an entry that cannot be applied.
    pub fn skip(&self, seq: Seq) {
        self.orders.settled(seq);
    }

    /// Everything stored and everything under way may be wrong: nothing of it is used again, and
    /// positions start anew.
    pub fn distrust(&self) {
        self.orders.distrust();
    }

    /// How many stored responses have a tag.
    pub fn tagged(&self, tag: &[u8]) -> u64 {
        self.tags.live(tag)
    }

    /// The bans in force.
    pub fn bans(&self, now: Timestamp) -> Vec<BanInfo> {
        self.orders.list(now)
    }

    fn carry_out(&self, seq: Seq, order: &Order, now: Timestamp) -> Result<Applied, BadOrder> {
        let soft = (order.how == How::Soft).then_some(now);
        let matched = match &order.what {
            What::Lift(id) if order.dry_run => self.has_ban(id, now),
            What::Lift(id) => self.orders.lift(id),
            What::Urls(keys, heads) => {
                let exact = keys.iter().map(|key| self.url(key, order, now)).sum();
                match heads {
                    None => Some(exact),
                    Some(heads) => {
                        self.ban(seq, heads.clone(), order, now)?;
                        None
                    }
                }
            }
            What::All if order.dry_run => Some(self.stats().objects),
            What::All => {
                self.orders.all(seq, soft);
                Some(self.stats().objects)
            }
            What::Tags(tags) => self.tags(seq, tags, order, now)?,
            What::Match(matcher) => {
                self.ban(seq, matcher.clone(), order, now)?;
                None
            }
            What::Ban(_, matcher) if order.dry_run => {
                self.ban(seq, matcher.clone(), order, now)?;
                None
            }
            What::Ban(spec, matcher) => {
                let kind = Kind::Ban { spec: spec.clone(), how: order.how };
                self.orders.ban(seq, matcher.clone(), kind, now)?;
                None
            }
        };
        Ok(Applied { matched })
    }

    fn ban(
        &self,
        seq: Seq,
        matcher: Matcher,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), BadOrder> {
        let kind = if order.dry_run { Kind::Count } else { Kind::Purge { how: order.how } };
        self.orders.ban(seq, matcher, kind, now)
    }

    fn has_ban(&self, id: &str, now: Timestamp) -> Option<u64> {
        self.bans(now).iter().find(|info| info.ban.id == *id).map(|info| info.matched)
    }

    fn url(&self, key: &[u8], order: &Order, now: Timestamp) -> u64 {
        let how = match order.how {
            How::Hard => Invalidate::Hard,
            How::Soft => Invalidate::Soft,
        };
        let count = match order.dry_run {
            true => self.inspect(key).iter().map(|entry| entry.variants.len()).sum(),
            false => self.invalidate(key, how, now),
        };
        count as u64
    }

    /// The count is there at once for one tag; what has one of several takes a sweep to count once.
    fn tags(
        &self,
        seq: Seq,
        tags: &[Box<[u8]>],
        order: &Order,
        now: Timestamp,
    ) -> Result<Option<u64>, BadOrder> {
        let several = tags.len() > 1;
        let live: u64 = tags.iter().map(|tag| self.tags.live(tag)).sum();
        let mut counting = several && live > 0;
        if counting {
            let matcher = Matcher { tags: tags.to_vec(), ..Matcher::default() };
            let counted = self.orders.ban(seq, matcher, Kind::Count, now);
            // Not to be able to count is no reason not to purge.
            match counted {
                Err(error) if order.dry_run => return Err(error),
                Err(_) => counting = false,
                Ok(()) => {}
            }
        }
        if !order.dry_run {
            let soft = (order.how == How::Soft).then_some(now);
            let holds = tags.iter().map(|tag| self.tags.intern(tag)).collect();
            self.orders.tags(seq, holds, soft);
        }
        Ok((!counting).then_some(live))
    }

    /// What came since an object was checked; nothing for one that is up to date.
    pub(super) fn judge(&self, object: &Object, bans_until: u64, now: Timestamp) -> Option<Judged> {
        let since = object.checked();
        if since >= self.orders.latest() {
            return None;
        }
        let subject = Subject {
            key: object.key(),
            tags: object.tagged(),
            fields: Fields::Stored(object),
            vouched: object.vouched,
        };
        let judged = self.orders.judge(&subject, since, bans_until, now);
        (judged.number > since || !judged.bans.is_empty() || judged.matched.newest().is_some())
            .then_some(judged)
    }

    /// Holds a stored object against what came since it was checked, and does what follows.
    pub(super) fn settle(&self, object: &Arc<Object>, now: Timestamp) {
        if let Some(judged) = self.judge(object, u64::MAX, now) {
            self.carry_through(object, &judged, now);
        }
    }

    pub(super) fn carry_through(&self, object: &Arc<Object>, judged: &Judged, now: Timestamp) {
        let matched = judged.matched;
        let changed = match (matched.hard, matched.soft) {
            (Some(_), _) => self.remove(object),
            (None, Some(_)) => self.soften_one(object, now),
            (None, None) => object.check(judged.number),
        };
        // Of several who find the same, one changes it, and counts.
        if changed {
            judged.bans.iter().for_each(|ban| ban.count());
        }
    }
}
