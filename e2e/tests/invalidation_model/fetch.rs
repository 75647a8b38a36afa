//! Fetches: the request upstream, its way there and back, and what becomes of the answer.

use cache::{Failure, Fill, Obligation};
use semantics::{NoStoreReason, RequestDirectives};
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::rules::{Broken, What};
use crate::serve::{Served, Who, poll_once};
use crate::site::{piece, version_of};
use crate::world::World;

pub struct Fetch {
    id: u64,
    pub at: usize,
    key: usize,
    /// None: past the store.
    duty: Option<Obligation>,
    /// Who waits for it, but for the store.
    request: Option<u64>,
    least: Seq,
    /// The node validated everything when this began: what is stored must not stand in.
    unvouched: bool,
    /// It takes much longer than others.
    slow: bool,
    /// The version of what is to be validated.
    stale: Option<u32>,
    stage: Stage,
    /// What it asked for at least: only of a tier, and only where the node knows its position.
    asked: Option<LogPosition>,
    /// The log that the node read when this was last looked at, at the latest when it was sent.
    epoch: Option<String>,
}

enum Stage {
    /// Not sent yet.
    Held,
    ToOrigin,
    ToTier(usize),
    /// A request there stands for it.
    AtTier,
    Back(Answer, Source),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Origin,
    Tier,
}

pub struct Answer {
    /// None: it failed.
    pub content: Option<Content>,
    /// What the tier vouches for.
    pub word: Option<LogPosition>,
}

#[derive(Clone, Copy)]
pub struct Content {
    pub version: u32,
    pub age: u32,
}

pub struct Filling {
    pub at: usize,
    key: usize,
    version: u32,
    fill: Fill,
}

impl World {
    /// A request takes its answer from upstream; without a duty past the store.
    pub fn fetch(&mut self, i: usize, duty: Option<Obligation>, least: Seq) {
        let (request, at, key) = self.fetching(i);
        self.take_off(at, key, duty, Some(request), least);
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
            unvouched,
            stale,
            stage: Stage::Held,
            asked: None,
            epoch: self.nodes[at].epoch().map(str::to_owned),
        });
    }

    /// A request upstream goes out.
    pub fn send(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fetches, |fetch| matches!(fetch.stage, Stage::Held))?;
        let tier = match self.nodes[self.fetches[i].at].shield || self.rng.chance(15) {
            true => None,
            false => self.rng.among(&self.nodes, |node| node.shield && node.serves()),
        };
        let fetch = &mut self.fetches[i];
        let node = &self.nodes[fetch.at];
        // A gap since the store was asked: what is asked for is a position in another log.
        if fetch.epoch.as_deref() != node.epoch() {
            fetch.least = Seq::ZERO;
        }
        let vouched = match &mut fetch.duty {
            Some(duty) if self.broken != Some(Broken::SentLate) => duty.sent(|| fetch.least),
            _ => node.cache.applied(),
        };
        fetch.epoch = node.epoch().map(str::to_owned);
        fetch.stage = tier.map_or(Stage::ToOrigin, Stage::ToTier);
        if tier.is_some() && node.settled {
            let seq = if self.broken == Some(Broken::LeastZero) { Seq::ZERO } else { vouched };
            fetch.asked = fetch.epoch.clone().map(|epoch| LogPosition { epoch, seq });
        }
        self.trace.note(
            self.step,
            Some(fetch.key),
            Some(fetch.at),
            "sends, asking for",
            vouched.ms,
        );
        Some(What::Sends)
    }

    /// A request upstream comes to where it was sent.
    pub fn reach(&mut self) -> Option<What> {
        let on_way = |fetch: &Fetch| matches!(fetch.stage, Stage::ToOrigin | Stage::ToTier(_));
        let i = self.rng.among(&self.fetches, on_way)?;
        let fetch = &mut self.fetches[i];
        match fetch.stage {
            Stage::ToTier(tier) if self.nodes[tier].serves() => {
                let (id, key, asked) = (fetch.id, fetch.key, fetch.asked.clone());
                fetch.stage = Stage::AtTier;
                self.request(tier, key, Who::Tier { fetch: id, asked });
            }
            // It is gone by now: past it.
            Stage::ToTier(_) => fetch.stage = Stage::ToOrigin,
            _ => {
                let failed = self.rng.chance(6);
                let content = Content { version: self.origin.versions[fetch.key], age: 0 };
                let answer = Answer { content: (!failed).then_some(content), word: None };
                fetch.stage = Stage::Back(answer, Source::Origin);
                let version = content.version.into();
                self.trace.note(self.step, Some(fetch.key), Some(fetch.at), "origin says", version);
            }
        }
        Some(What::Reaches)
    }

    /// The answer of a tier sets out on its way back.
    pub fn reach_back(&mut self, id: u64, answer: Answer, tier: bool) {
        if let Some(fetch) = self.fetches.iter_mut().find(|fetch| fetch.id == id) {
            fetch.stage = Stage::Back(answer, if tier { Source::Tier } else { Source::Origin });
        }
    }

    /// A connection breaks: the fetch is given up, or tells of its failure.
    pub fn fail(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fetches, |_| true)?;
        if self.rng.chance(50) {
            let fetch = self.fetches.swap_remove(i);
            self.give_up(fetch.request);
        } else {
            let none = Answer { content: None, word: None };
            self.fetches[i].stage = Stage::Back(none, Source::Origin);
        }
        Some(What::Fails)
    }

    fn give_up(&mut self, request: Option<u64>) {
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
        let fetch = self.fetches.swap_remove(i);
        let Stage::Back(answer, source) = &fetch.stage else { return None };
        let (word, source) = (answer.word.clone(), *source);
        match answer.content {
            Some(content) => self.conclude(fetch, content, word, source),
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
        let client = matches!(self.requests[i].who, Who::Client(_));
        let directives = RequestDirectives::default();
        let now = self.time();
        let usable = stale.filter(|stale| {
            client && !fetch.unvouched && stale.freshness.may_serve_on_error(&directives, now)
        });
        match usable {
            Some(stale) => {
                let version = version_of(&stale);
                let served = Served { version, marked: true, word: None, age: 0 };
                self.answer(i, served, What::OnError);
            }
            None => self.give_up(fetch.request),
        }
    }

    fn conclude(
        &mut self,
        mut fetch: Fetch,
        content: Content,
        word: Option<LogPosition>,
        source: Source,
    ) {
        let (at, key) = (fetch.at, fetch.key);
        let now = self.time();
        let Content { version, age } = content;
        let vouches = match (&fetch.asked, &word) {
            (Some(asked), Some(word)) => asked.epoch == word.epoch && asked.seq <= word.seq,
            _ => false,
        };
        let same_log = fetch.epoch.as_deref() == self.nodes[at].epoch();
        let Some(mut duty) = fetch.duty.take() else {
            return self.conclude_with(&fetch, version, age, None, What::PastStore);
        };
        if self.broken == Some(Broken::SentLate) {
            duty.sent(|| fetch.least);
        }
        if source == Source::Tier {
            match &word {
                Some(word) if vouches && same_log => {
                    let own = self.nodes[at].cache.applied();
                    if word.seq != own {
                        let newer = word.seq > own;
                        let what =
                            if newer { What::TierWordNewer } else { What::TierWordOverruled };
                        self.tally.note(what);
                    }
                    let own = if self.broken == Some(Broken::OwnApplied) { own } else { word.seq };
                    duty.vouched_by_tier(own);
                }
                _ => {
                    self.tally.note(What::UnstorableTier);
                    duty.decline(NoStoreReason::Method, None);
                    return self.conclude_with(&fetch, version, age, None, What::PastStore);
                }
            }
        }
        let mark =
            self.rng.chance(2).then(|| now.saturating_add(std::time::Duration::from_secs(3)));
        self.nodes[at].landed[key] = true;
        if mark.is_some() {
            self.tally.note(What::Unstorable);
            duty.decline(NoStoreReason::SetCookie, mark);
            self.conclude_with(&fetch, version, age, None, What::PastStore);
        } else if fetch.stale == Some(version) {
            let object = duty.freshen(self.origin.head(key, version, age, now));
            let vouched = object.vouched;
            self.conclude_with(&fetch, version_of(&object), age, Some(vouched), What::Renewed);
        } else {
            let fill = duty.begin(self.origin.object(key, version, age, now));
            let vouched = fill.object().vouched;
            if fill.object().freshness.is_invalidated() {
                self.tally.note(What::StoredSoft);
            }
            self.fills.push(Filling { at, key, version, fill });
            self.conclude_with(&fetch, version, age, Some(vouched), What::Fetched);
        }
    }

    /// Answers whoever asked, with what the answer is vouched for where that is known.
    fn conclude_with(
        &mut self,
        fetch: &Fetch,
        version: u32,
        age: u32,
        vouched: Option<Seq>,
        what: What,
    ) {
        let Some(i) = self.place(fetch.request) else { return };
        let own = vouched.zip(fetch.epoch.clone()).map(|(seq, epoch)| LogPosition { epoch, seq });
        // The origin was asked after whatever the tier below had applied.
        let word = match &self.requests[i].who {
            Who::Tier { asked: Some(asked), .. } => match own {
                Some(own) if own.epoch == asked.epoch && own.seq > asked.seq => Some(own),
                _ => Some(asked.clone()),
            },
            _ => own,
        };
        if let Who::Tier { .. } = self.requests[i].who {
            self.tally.note(What::TierFetched);
        }
        self.answer(i, Served { version, marked: false, word, age }, what);
    }

    pub fn append(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fills, |_| true)?;
        let filling = &mut self.fills[i];
        let _ = poll_once(filling.fill.append(&piece(filling.version)));
        Some(What::Appends)
    }

    pub fn finish(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fills, |_| true)?;
        let Filling { at, key, version, fill } = self.fills.swap_remove(i);
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
