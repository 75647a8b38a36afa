//! Fetches: what becomes of the answer to a request upstream. `route.rs` has its way.

use std::sync::Arc;

use cache::{Failure, Fill, Object, Obligation};
use semantics::{NoStoreReason, RequestDirectives};
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::route::{Hop, Tried};
use crate::rules::{Broken, What};
use crate::serve::{Served, Who, poll_once};
use crate::site::{piece, version_of};
use crate::world::World;

pub struct Fetch {
    pub id: u64,
    pub at: usize,
    pub key: usize,
    /// None: past the store.
    pub duty: Option<Obligation>,
    /// Who waits for it, but for the store.
    pub request: Option<u64>,
    pub least: Seq,
    /// What the tier below accepts, if that is of another log and this goes past the store.
    pub foreign: Option<LogPosition>,
    /// The node validated everything when this began: what is stored must not stand in.
    unvouched: bool,
    /// It takes much longer than others.
    slow: bool,
    /// The version of what is to be validated.
    stale: Option<u32>,
    pub stage: Stage,
    /// It was sent once: what it asks for is settled.
    pub sent: bool,
    /// What it asks tiers for at least: only where the node knows its position.
    pub asked: Option<LogPosition>,
    /// The log that the node read when this was last looked at, at the latest when it was sent.
    pub epoch: Option<String>,
    pub tried: Tried,
    /// Counts whom it was sent to: answers to earlier ones come too late.
    pub attempt: u32,
    /// What the node thought of who is there when it was sent.
    pub ring: u64,
}

impl Fetch {
    /// It may go to a peer. What goes past the store never does: it would not be kept there.
    pub fn is_across(&self) -> bool {
        self.duty.as_ref().is_some_and(Obligation::is_across)
    }
}

pub enum Stage {
    /// Not sent yet, or to be sent on.
    Held,
    Out(Hop),
    /// A request there stands for it.
    At(Hop),
    Back(Answer, Hop),
}

pub struct Answer {
    /// None: it failed.
    pub content: Option<Content>,
    /// What the tier vouches for.
    pub word: Option<LogPosition>,
    /// The tier does not answer this, and another might.
    pub refused: bool,
}

impl Answer {
    pub fn nothing() -> Self {
        Self { content: None, word: None, refused: false }
    }
}

#[derive(Clone, Copy)]
pub struct Content {
    pub version: u32,
    pub age: u32,
    /// It is stale by an order and says so.
    pub marked: bool,
}

pub struct Filling {
    pub at: usize,
    pub key: usize,
    version: u32,
    /// It is for those who are there: nothing of it is kept.
    pub transient: bool,
    pub fill: Fill,
}

/// An answer that came back.
struct Back {
    content: Content,
    word: Option<LogPosition>,
    hop: Hop,
}

impl World {
    /// A request takes its answer from upstream; without a duty past the store.
    pub fn fetch(&mut self, i: usize, duty: Option<Obligation>, least: Seq) {
        let (request, at, key) = self.fetching(i);
        self.take_off(at, key, duty, Some(request), least);
    }

    /// The same past the store, for a tier that accepts nothing older than this of another log.
    pub fn fetch_foreign(&mut self, i: usize, foreign: LogPosition) {
        self.fetch(i, None, Seq::ZERO);
        if let Some(fetch) = self.fetches.last_mut() {
            fetch.foreign = Some(foreign);
        }
    }

    /// A stale response is refreshed behind.
    pub fn refresh(&mut self, at: usize, key: usize, duty: Obligation) {
        self.take_off(at, key, Some(duty), None, Seq::ZERO);
    }

    fn take_off(
        &mut self,
        at: usize,
        key: usize,
        duty: Option<Obligation>,
        request: Option<u64>,
        least: Seq,
    ) {
        self.ids += 1;
        let stale = duty.as_ref().and_then(Obligation::stale).map(|object| version_of(object));
        let unvouched = self.nodes[at].unvouched(self.now, self.broken);
        let slow = self.rng.chance(5);
        self.fetches.push(Fetch {
            slow,
            id: self.ids,
            at,
            key,
            duty,
            request,
            least,
            foreign: None,
            unvouched,
            stale,
            stage: Stage::Held,
            sent: false,
            asked: None,
            epoch: self.nodes[at].epoch().map(str::to_owned),
            tried: Tried::default(),
            attempt: 0,
            ring: 0,
        });
    }

    pub fn give_up(&mut self, request: Option<u64>) {
        if let Some(i) = self.place(request) {
            let request = self.requests.swap_remove(i);
            self.fail_lower(&request);
        }
    }

    fn place(&self, request: Option<u64>) -> Option<usize> {
        let id = request?;
        self.requests.iter().position(|request| request.id == id)
    }

    /// An answer arrives.
    pub fn take_back(&mut self) -> Option<What> {
        let back = |fetch: &Fetch| matches!(fetch.stage, Stage::Back(..));
        let i = self.rng.among(&self.fetches, back)?;
        if self.fetches[i].slow && !self.rng.chance(5) {
            return None;
        }
        let Stage::Back(answer, hop) = &self.fetches[i].stage else { return None };
        let hop = *hop;
        if let (true, Hop::Before(to) | Hop::Peer(to)) = (answer.refused, hop) {
            let inherits = matches!(hop, Hop::Before(_));
            self.tally.note(if inherits { What::InheritRefused } else { What::PeerRefused });
            let fetch = &mut self.fetches[i];
            fetch.stage = Stage::Held;
            fetch.attempt += 1;
            if !inherits {
                fetch.tried.nodes |= 1 << to;
            }
            self.trace.note(self.step, Some(fetch.key), Some(fetch.at), "is refused by", to as u64);
            return Some(What::Returns);
        }
        let fetch = self.fetches.swap_remove(i);
        let Stage::Back(Answer { content, word, .. }, _) = &fetch.stage else { return None };
        if fetch.ring != self.nodes[fetch.at].view.changes {
            self.tally.note(What::RingChanged);
        }
        let word = word.clone();
        match *content {
            Some(content) => self.conclude(fetch, content, word, hop),
            None => self.failed(fetch),
        }
        Some(What::Returns)
    }

    fn failed(&mut self, mut fetch: Fetch) {
        let stale = fetch.duty.as_ref().and_then(|duty| duty.stale().cloned());
        self.nodes[fetch.at].landed[fetch.key] = false;
        if let Some(duty) = fetch.duty.take() {
            duty.fail(Failure { status: 502, reason: "reset", retry_after: None });
        }
        let Some(i) = self.place(fetch.request) else { return };
        self.stand_in(i, stale.filter(|_| !fetch.unvouched).as_deref());
    }

    /// No answer came: what is stored stands in for it where it may.
    pub fn stand_in(&mut self, i: usize, stale: Option<&Object>) {
        let directives = RequestDirectives::default();
        let now = self.time();
        let usable = stale.filter(|stale| stale.freshness.may_serve_on_error(&directives, now));
        let Some(stale) = usable else { return self.give_up(Some(self.requests[i].id)) };
        // What stands in for what an order made stale is given to a tier without a word.
        let marked = stale.freshness.is_invalidated();
        let word = self.requests[i].word.clone().filter(|_| !marked);
        let marked = marked || !self.requests[i].who.is_tier();
        let served =
            Served { version: version_of(stale), marked, word, age: stale.freshness.age(now) };
        self.answer(i, served, What::OnError);
    }

    fn conclude(
        &mut self,
        mut fetch: Fetch,
        content: Content,
        word: Option<LogPosition>,
        hop: Hop,
    ) {
        let (at, key) = (fetch.at, fetch.key);
        let now = self.time();
        let Content { version, age, .. } = content;
        self.tally.note(match hop {
            Hop::Origin => What::OriginAnswered,
            Hop::Shield(_) => What::OwnerAnswered,
            Hop::Peer(_) => What::PeerAnswered,
            Hop::Before(_) => What::Inherited,
        });
        let back = Back { content, word: word.clone(), hop };
        let Some(mut duty) = fetch.duty.take() else {
            return self.conclude_with(&fetch, &back, None, What::PastStore);
        };
        if self.broken == Some(Broken::SentLate) {
            duty.sent(|| fetch.least);
        }
        if !self.believe(&fetch, &mut duty, &back) {
            self.tally.note(What::UnstorableTier);
            duty.decline(NoStoreReason::Method, None);
            return self.conclude_with(&fetch, &back, None, What::PastStore);
        }
        let mark =
            self.rng.chance(2).then(|| now.saturating_add(std::time::Duration::from_secs(3)));
        self.nodes[at].landed[key] = true;
        if mark.is_some() {
            self.tally.note(What::Unstorable);
            duty.decline(NoStoreReason::SetCookie, mark);
            self.conclude_with(&fetch, &back, None, What::PastStore);
        } else if fetch.stale == Some(version) {
            let object = duty.freshen(self.origin.head(key, version, age, now));
            let vouched = object.vouched;
            self.conclude_with(&fetch, &back, Some(vouched), What::Renewed);
        } else {
            let fill = duty.begin(self.origin.object(key, version, age, now));
            let vouched = fill.object().vouched;
            if fill.object().freshness.is_invalidated() {
                self.tally.note(What::StoredSoft);
            }
            // The owner keeps it for both, unless it is asked for so often that both should.
            let transient = matches!(hop, Hop::Peer(_)) && !self.rng.chance(20);
            if matches!(hop, Hop::Peer(_)) && !transient {
                self.tally.note(What::HotKept);
            }
            self.fills.push(Filling { at, key, version, transient, fill });
            self.conclude_with(&fetch, &back, Some(vouched), What::Fetched);
        }
    }

    /// Takes a tier's word for its answer; false when it does not vouch for what was asked. What an origin
    /// says of positions is nothing.
    fn believe(&mut self, fetch: &Fetch, duty: &mut Obligation, back: &Back) -> bool {
        let own = self.nodes[fetch.at].cache.applied();
        match (back.hop, self.broken) {
            (Hop::Origin, Some(Broken::StrayBelieved)) if back.word.is_some() => {}
            (Hop::Origin, _) => return true,
            (Hop::Before(_), Some(Broken::InheritWordless)) => return true,
            _ => {}
        }
        let same_log = fetch.epoch.as_deref() == self.nodes[fetch.at].epoch();
        match (&fetch.asked, &back.word) {
            (Some(asked), Some(word))
                if asked.epoch == word.epoch
                    && fetch.epoch.as_ref() == Some(&asked.epoch)
                    && asked.seq <= word.seq
                    && same_log =>
            {
                if word.seq != own {
                    let newer = word.seq > own;
                    self.tally.note(if newer {
                        What::TierWordNewer
                    } else {
                        What::TierWordOverruled
                    });
                }
                let peer = matches!(back.hop, Hop::Peer(_));
                let takes_own = match self.broken {
                    Some(Broken::OwnApplied) => true,
                    Some(Broken::PeerOwnApplied) => peer,
                    _ => false,
                };
                duty.vouched_by_tier(if takes_own { own } else { word.seq });
                true
            }
            _ => false,
        }
    }

    /// Answers whoever asked, with what the answer is vouched for where that is known.
    fn conclude_with(&mut self, fetch: &Fetch, back: &Back, vouched: Option<Seq>, what: What) {
        let Some(i) = self.place(fetch.request) else { return };
        let own = vouched.zip(fetch.epoch.clone()).map(|(seq, epoch)| LogPosition { epoch, seq });
        let promises = self.broken == Some(Broken::PeerPromises);
        let word = match &self.requests[i].who {
            // What a tier answered is worth what that one said, and no more.
            Who::Tier(_) if back.hop != Hop::Origin && !promises => {
                self.tally.note(What::WordPassedOn);
                back.word.clone()
            }
            // The origin was asked after whatever the tier below had applied.
            Who::Tier(below) => match (&below.asked, own) {
                (Some(asked), Some(own)) if own.epoch == asked.epoch && own.seq > asked.seq => {
                    Some(own)
                }
                (Some(asked), _) => Some(asked.clone()),
                (None, own) => own,
            },
            Who::Client(_) => own,
        };
        if self.requests[i].who.is_tier() {
            self.tally.note(What::TierFetched);
        }
        let Content { version, age, marked } = back.content;
        self.answer(i, Served { version, marked, word, age }, what);
    }

    pub fn append(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fills, |_| true)?;
        let filling = &mut self.fills[i];
        let _ = poll_once(filling.fill.append(&piece(filling.version)));
        Some(What::Appends)
    }

    pub fn finish(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fills, |_| true)?;
        let Filling { at, key, version, transient, fill } = self.fills.swap_remove(i);
        if transient {
            // Whoever has found it reads on; the store forgets it.
            self.tally.note(What::NotKept);
            let body = fill.object().body().clone();
            assert_eq!(fill.let_go(NoStoreReason::PeerOwns), Err(NoStoreReason::PeerOwns));
            self.tally.note(match body.complete() {
                Some(_) => What::LetGo,
                None => What::LetGoDetached,
            });
            let let_go = &mut self.nodes[at].let_go;
            let_go.retain(|body| body.strong_count() > 0);
            let_go.push(Arc::downgrade(&body));
            return Some(What::Finishes);
        }
        match fill.finish() {
            Ok(_) => {}
            Err(NoStoreReason::Purged) => {
                self.tally.note(What::Detached);
                self.trace.note(self.step, Some(key), Some(at), "does not store", version.into());
            }
            Err(_) => self.tally.note(What::NotStored),
        }
        Some(What::Finishes)
    }

    pub fn abort(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fills, |_| true)?;
        self.fills.swap_remove(i).fill.abort(NoStoreReason::Truncated);
        Some(What::Aborts)
    }
}
