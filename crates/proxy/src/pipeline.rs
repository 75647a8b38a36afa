//! The request path: `recv → key → lookup → {hit | stale | wait | miss | pass} → fetch → store → deliver → log`.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use cache::{Failure, Found, Going, Lookup, Object, Obligation, Outcome as Shared, Query, Waiter};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use semantics::{
    Fwd, MissReason, PassReason, RequestDirectives, StaleReason, Verdict, write_cache_key,
};
use wire::snapshot::Limits;

use crate::answering::Answering;
use crate::backend::Backend;
use crate::body::Body;
use crate::config::Node;
use crate::deliver::{Answer, deliver, relay, remove_border};
use crate::forward;
use crate::intake::{self, Received};
use crate::outcome::Outcome;
use crate::ping::{self, Hops};
use crate::refusal::Refusal;
use crate::serve::{Connection, Handler, Interim, Open};
use crate::store::{Fetch, Fetched, erred, failure, may_stand_in};
use crate::tiers::Word;
use crate::upload::Upload;

/// One worker of a node: the shared node and this worker's way upstream.
pub struct Pipeline<B> {
    pub(crate) node: Arc<Node>,
    pub(crate) backend: B,
    /// Whoever asks is another tier of this network: believed, and told what an answer is vouched for.
    pub(crate) for_tiers: bool,
}

thread_local! {
    /// The key of the request at hand: hits allocate none.
    static KEY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<B: Backend> Pipeline<B> {
    /// A worker of `node` that gets what it misses from `backend`, for clients.
    pub fn new(node: Arc<Node>, backend: B) -> Arc<Self> {
        Arc::new(Self { node, backend, for_tiers: false })
    }

    /// The same for other tiers of this network. Whoever reaches it is believed: it must listen where
    /// clients do not come.
    pub fn for_tiers(node: Arc<Node>, backend: B) -> Arc<Self> {
        Arc::new(Self { node, backend, for_tiers: true })
    }

    /// Whose worker it is.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// A hit is answered on the spot; everything else becomes a future.
    fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        connection: &Arc<Connection>,
    ) -> Answering {
        let started = self.node.clock.monotonic();
        // recv
        let (head, body) = request.into_parts();
        if ping::hops(&head) == Hops::NoMore {
            return Answering::now(self.log(started, self.pong()));
        }
        let mut body = Upload::new(body);
        if head.version == Version::HTTP_2 {
            body = body.within(Duration::from_millis(connection.limits().between_bytes_timeout_ms));
        }
        if body.may_be_none(&head) {
            let (this, connection) = (self.clone(), connection.clone());
            return Answering::later(async move {
                let mut body = body;
                body.begin().await;
                this.answer_whole(started, head, body, &connection).await
            });
        }
        self.answer_whole(started, head, body, connection)
    }

    /// Of a request that is known to have a body or none.
    fn answer_whole(
        self: &Arc<Self>,
        started: Duration,
        head: Parts,
        body: Upload,
        connection: &Arc<Connection>,
    ) -> Answering {
        let has_body = body.is_there(&head);
        let received = intake::receive(
            head,
            has_body,
            &self.node,
            &self.node.config_guard(),
            connection,
            self.for_tiers,
        );
        let received = match received {
            Ok(received) => received,
            Err(refusal) => return Answering::now(self.log(started, self.refuse(refusal))),
        };
        if let Some(reason) = received.pass_reason() {
            let (this, connection) = (self.clone(), connection.clone());
            return Answering::later(async move {
                let answer = match received.is_purge() {
                    true => this.purge(&received).await,
                    false => this.pass(received, Some(body), reason, &connection).await,
                };
                this.log(started, answer)
            });
        }
        if self.node.is_behind(&received) {
            let (this, connection) = (self.clone(), connection.clone());
            return Answering::later(async move {
                let answer = this.behind(received, &connection).await;
                this.log(started, answer)
            });
        }
        // key → lookup → hit → deliver → log
        let looked = self.lookup(&received);
        if let Lookup::Hit(found) = &looked {
            let answer = deliver(&self.node, &received, &found.object, Outcome::Hit, None);
            return Answering::now(self.log(started, answer));
        }
        if !matches!(looked, Lookup::Stale(..))
            && let Some(owner) = self.owner_elsewhere(&received)
        {
            return Answering::now(self.log(started, self.redirect(&received, &owner)));
        }
        let (this, connection) = (self.clone(), connection.clone());
        Answering::later(async move {
            let answer = this.go_on(received, looked, &connection).await;
            this.log(started, answer)
        })
    }

    pub(crate) fn lookup(&self, received: &Received) -> Lookup {
        self.lookup_as(received, &received.directives)
    }

    fn lookup_as(&self, received: &Received, directives: &RequestDirectives) -> Lookup {
        KEY.with_borrow_mut(|key| {
            self.write_key(key, received, received.path_and_query());
            let key = &*key;
            let across = || self.backend.goes_across(&self.node, key);
            self.node.cache.lookup(&Query {
                key,
                head: received.is_head(),
                request: &received.head.headers,
                rules: &received.site.variants,
                directives,
                now: self.node.now(),
                arrived: received.arrived,
                unvouched: self.node.unvouched(),
                going: match received.below.is_some() {
                    true => Going::UpForPeer,
                    false => Going::Across(&across),
                },
            })
        })
    }

    /// A tier that is behind the one below it catches up first, or goes past its store.
    async fn behind(
        self: &Arc<Self>,
        mut received: Received,
        connection: &Arc<Connection>,
    ) -> Answer {
        if self.node.catch_up(&mut received).await {
            let looked = self.lookup(&received);
            return self.go_on(received, looked, connection).await;
        }
        self.pass(received, None, PassReason::Behind, connection).await
    }

    /// What is not a plain hit. Whatever turns out not to be for this request starts it anew.
    async fn go_on(
        self: &Arc<Self>,
        received: Received,
        mut looked: Lookup,
        connection: &Arc<Connection>,
    ) -> Answer {
        loop {
            let step = match looked {
                Lookup::Hit(found) => self.hit(&received, &found),
                Lookup::Stale(found, reason, verdict, duty) => match (verdict, duty) {
                    (Verdict::StaleAllowed(_), _) => self.stale(&received, &found.object, reason),
                    // The tier below would not know that it was purged.
                    (Verdict::StaleWhileRevalidate(StaleReason::Invalidated), Some(duty))
                        if received.below.is_some() =>
                    {
                        self.fetch(&received, duty, Some(found), None, connection).await
                    }
                    (Verdict::StaleWhileRevalidate(StaleReason::Invalidated), None)
                        if received.below.is_some() =>
                    {
                        self.wait_for_validation(&received).await
                    }
                    (Verdict::StaleWhileRevalidate(_), duty) => {
                        if let Some(duty) = duty {
                            drop(self.start(self.filling(&received), duty, None));
                        }
                        self.stale(&received, &found.object, reason)
                    }
                    (_, Some(duty)) => {
                        self.fetch(&received, duty, Some(found), None, connection).await
                    }
                    (_, None) => Step::Alone(PassReason::Rule),
                },
                Lookup::Miss(reason, duty) => {
                    self.fetch(&received, duty, None, Some(reason), connection).await
                }
                // An authorized request may not share what it would fetch, so it does not wait either.
                Lookup::Wait(_) if received.seen.authorization => {
                    Step::Alone(PassReason::Authorization)
                }
                Lookup::Wait(waiter) => self.wait(&received, waiter).await,
                Lookup::HitForMiss => Step::Alone(PassReason::HitForMiss),
            };
            match step {
                Step::Answered(answer) => return *answer,
                Step::Again => looked = self.lookup(&received),
                Step::Alone(PassReason::CollapseTimeout) => {
                    return self.bypass(received, connection).await;
                }
                Step::Alone(reason) => return self.pass(received, None, reason, connection).await,
            }
        }
    }

    /// Adds what was not stored, for this request; what is for this network alone stays in it.
    fn also(&self, answer: &mut Answer, received: &Received, mut withheld: HeaderMap) {
        if !received.site.shows_debug(received.seen.debug) && received.below.is_none() {
            remove_border(&mut withheld);
        }
        answer.response.headers_mut().extend(withheld);
    }

    fn hit(&self, received: &Received, found: &Found) -> Step {
        deliver(&self.node, received, &found.object, Outcome::Hit, None).into()
    }

    /// miss, or stale that must be validated: → fetch → store → deliver.
    async fn fetch(
        self: &Arc<Self>,
        received: &Received,
        duty: Obligation,
        stale: Option<Found>,
        missed: Option<MissReason>,
        connection: &Arc<Connection>,
    ) -> Step {
        //= rfc9111#5.2.1.7
        if received.directives.only_if_cached {
            return self.refuse(not_stored()).into();
        }
        let stale = stale.as_ref().map(|found| &found.object);
        let fwd = stale.map_or(Fwd::Stale, |stale| self.why_forward(received, stale));
        let interim = Interim::new(connection, received.head.version);
        let fetched = self.start(self.filling(received), duty, interim).await;
        let became = |kept| match missed {
            Some(reason) => Outcome::Miss(reason, kept),
            None => Outcome::Refreshed(fwd, kept),
        };
        let stood_in = Outcome::StoodIn { fwd, collapsed: false };
        match fetched {
            Ok(Fetched::Stored { found, status, withheld, kept }) => {
                let outcome = became(kept);
                let mut answer =
                    deliver(&self.node, received, &found.object, outcome, Some(status));
                if answer.response.status() == status {
                    self.also(&mut answer, received, withheld);
                }
                answer.into()
            }
            Ok(Fetched::Freshened { object, word, withheld, kept }) => {
                let outcome = Outcome::Revalidated(fwd, kept);
                let status = Some(StatusCode::NOT_MODIFIED);
                let mut answer = deliver(&self.node, received, &object, outcome, status);
                self.also(&mut answer, received, withheld);
                word.instead(answer.response.headers_mut(), received);
                answer.into()
            }
            Ok(Fetched::Relayed(response, reason, word)) => {
                relay(&self.node, received, response, became(Err(reason)), &word).into()
            }
            Ok(Fetched::Again) => Step::Again,
            Ok(Fetched::ErredOver(status, retry_after)) => {
                let failure = erred(status, retry_after);
                self.failed(received, stale, &failure, stood_in, Some(status))
            }
            Ok(Fetched::Failed(error)) => {
                self.failed(received, stale, &failure(&error), stood_in, None)
            }
            Err(_) => {
                let failure = Failure { status: 500, reason: "fetch-abandoned", retry_after: None };
                self.failed(received, stale, &failure, stood_in, None)
            }
        }
    }

    /// wait → deliver what somebody else fetched.
    async fn wait(&self, received: &Received, mut waiter: Waiter) -> Step {
        if received.directives.only_if_cached {
            return self.refuse(not_stored()).into();
        }
        let (fields, rules) = (&received.head.headers, &received.site.variants);
        let stood_in =
            |stale| Outcome::StoodIn { fwd: self.why_forward(received, stale), collapsed: true };
        let shared = waiter.outcome(fields, rules);
        match tokio::time::timeout(received.site.collapse_timeout, shared).await {
            Ok(Shared::Filled(found)) => {
                deliver(&self.node, received, &found.object, Outcome::Collapsed, None).into()
            }
            Ok(Shared::Retry) => Step::Again,
            Ok(Shared::Uncacheable) => Step::Alone(PassReason::HitForMiss),
            Ok(Shared::Failed(failure)) => {
                let stale = waiter.stale();
                let outcome = stale.map_or(Outcome::Collapsed, |stale| stood_in(stale));
                self.failed(received, stale, &failure, outcome, None)
            }
            Err(_) => match waiter.stale() {
                Some(stale) if self.stands_in(received, stale) => {
                    deliver(&self.node, received, stale, stood_in(stale), None).into()
                }
                _ => Step::Alone(PassReason::CollapseTimeout),
            },
        }
    }

    /// Somebody validates what is stored, behind the answers to others: this one waits for it.
    async fn wait_for_validation(&self, received: &Received) -> Step {
        let directives = RequestDirectives { no_cache: true, ..received.directives };
        match self.lookup_as(received, &directives) {
            Lookup::Wait(_) if received.seen.authorization => {
                Step::Alone(PassReason::Authorization)
            }
            Lookup::Wait(waiter) => self.wait(received, waiter).await,
            // It is over by now.
            _ => Step::Again,
        }
    }

    /// Waited too long: the request goes itself, if not too many do.
    async fn bypass(self: &Arc<Self>, received: Received, connection: &Arc<Connection>) -> Answer {
        let Ok(place) = received.site.bypass.clone().try_acquire_owned() else {
            let refusal = Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "collapse-overflow",
                "the origin is slow and too many requests wait for this URL; try again",
            );
            return self.refuse(refusal.retry_after(1));
        };
        let mut answer = self.pass(received, None, PassReason::CollapseTimeout, connection).await;
        answer.response.body_mut().keep_place(place);
        answer
    }

    /// No good answer came: what is stored if that is allowed, else the error.
    fn failed(
        &self,
        received: &Received,
        stale: Option<&Arc<Object>>,
        failure: &Failure,
        stood_in: Outcome,
        upstream_status: Option<StatusCode>,
    ) -> Step {
        if let Some(stale) = stale.filter(|stale| self.stands_in(received, stale)) {
            return deliver(&self.node, received, stale, stood_in, upstream_status).into();
        }
        let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let text = "the origin gave no usable answer and nothing stored may stand in for it";
        let mut refusal = Refusal::new(status, failure.reason, text);
        refusal.retry_after = failure.retry_after;
        self.refuse(refusal).into()
    }

    /// Why what is stored does not answer as it is: it is stale, or the request wants more.
    //= rfc9211#2.2
    fn why_forward(&self, received: &Received, stored: &Object) -> Fwd {
        let now = self.node.now();
        let verdict = |directives: &RequestDirectives| stored.freshness.judge(directives, now);
        let fresh = verdict(&RequestDirectives::default()) == Verdict::Fresh;
        if fresh && verdict(&received.directives) != Verdict::Fresh {
            return Fwd::Request;
        }
        Fwd::Stale
    }

    fn stands_in(&self, received: &Received, stale: &Object) -> bool {
        let vouched = !received.unvouched && !self.node.unvouched();
        vouched && may_stand_in(stale, &received.directives, self.node.now())
    }

    fn stale(&self, received: &Received, object: &Arc<Object>, reason: StaleReason) -> Step {
        deliver(&self.node, received, object, Outcome::Stale(reason), None).into()
    }

    pub(crate) fn refuse(&self, refusal: Refusal) -> Answer {
        let outcome = Outcome::Error(refusal.reason);
        Answer { response: refusal.into_response(&self.node.name, self.node.now()), outcome }
    }

    fn filling(&self, received: &Received) -> Fetch {
        Fetch {
            site: received.site.clone(),
            head: forward::filling(&self.node, received),
            selecting: received.head.headers.clone(),
            directives: received.directives,
            least: received.below.as_ref().and_then(|below| below.least.clone()),
            vouched: None,
            word: Word::Own,
            stale_above: None,
            unvouched: received.unvouched,
            flow: received.flow(),
        }
    }

    /// The key of a URL of the request's site and host.
    pub(crate) fn write_key(&self, key: &mut Vec<u8>, received: &Received, path: &str) {
        let Received { scheme, host, head, site, .. } = received;
        write_cache_key(key, scheme, host, path, &head.headers, &site.key);
    }

    /// Where the request's key stands on every ring.
    pub(crate) fn key_hash(&self, received: &Received) -> u64 {
        KEY.with_borrow_mut(|key| {
            self.write_key(key, received, received.path_and_query());
            upstream::ring::hash_key(key)
        })
    }

    fn log(&self, started: Duration, answer: Answer) -> Response<Body> {
        let Answer { response, outcome } = answer;
        let took = self.node.clock.monotonic().saturating_sub(started);
        self.node.metrics.answered(outcome, response.status(), took);
        if !self.for_tiers {
            self.node.demand.count();
        }
        response
    }
}

/// What one attempt at an answer came to.
enum Step {
    Answered(Box<Answer>),
    /// Look again.
    Again,
    /// Go past the store.
    Alone(PassReason),
}

impl From<Answer> for Step {
    fn from(answer: Answer) -> Self {
        Self::Answered(Box::new(answer))
    }
}

//= rfc9111#5.2.1.7
pub(crate) fn not_stored() -> Refusal {
    let text = "nothing usable is stored, and the request said only-if-cached";
    Refusal::new(StatusCode::GATEWAY_TIMEOUT, "only-if-cached", text)
}

/// A pipeline as the handler of a listener.
pub struct Front<B>(pub Arc<Pipeline<B>>);

impl<B> Clone for Front<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> Handler for Front<B> {
    type Answer = Answering;

    fn limits(&self) -> Arc<Limits> {
        self.0.node.config_guard().limits.clone()
    }

    fn open(&self) -> &Open {
        self.0.node.open(self.0.for_tiers)
    }

    fn handle(&self, request: Request<Incoming>, connection: &Arc<Connection>) -> Answering {
        self.0.answer(request, connection)
    }
}
