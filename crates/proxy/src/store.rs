//! `fetch` and `store`: one request upstream on behalf of everybody who waits for it.
//!
//! It runs as a task of its own, so that a client who leaves does not take the answer from the others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Failure, Fill, Found, NewHead, NewObject, Object, Obligation, Progress, Tags};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use semantics::tags::too_many_tags;
use semantics::{
    Exchange, Freshness, NoStoreReason, RequestDirectives, SetCookie, Storable, TagLimits,
    Timestamp, add_validators, format_http_date, freshen_headers, head_matches, storable,
    validates, variant_key,
};
use tokio::sync::oneshot;
use upstream::FetchError;
use wire::{LogPosition, Seq};

use crate::backend::{Ask, Backend, Reply, Source};
use crate::deliver::marks::{say_stale, unmark};
use crate::intake::Received;
use crate::pipeline::Pipeline;
use crate::serve::Interim;
use crate::site::Site;
use crate::tiers::Word;
use crate::{forward, groups};

/// What one request upstream came to, for the request that caused it.
pub(crate) enum Fetched {
    /// Stored, or being stored: read along. With the fields that may be shown to this request only.
    Stored {
        found: Found,
        status: StatusCode,
        withheld: HeaderMap,
        /// Why it is only for those who ask meanwhile, if it is.
        kept: Result<(), NoStoreReason>,
    },
    /// The stored response is still good, by that word.
    Freshened {
        object: Arc<Object>,
        word: Word,
        /// The fields that may be shown to this request only.
        withheld: HeaderMap,
        /// Why it is not stored any more, if it is not.
        kept: Result<(), NoStoreReason>,
    },
    /// Not to be stored: it is this request's alone, with that word.
    Relayed(Response<upstream::Body>, NoStoreReason, Word),
    /// The origin erred, and what is stored may stand in for it. With its `Retry-After`, in seconds.
    ErredOver(StatusCode, Option<u32>),
    /// What was stored turned out to be of no use and is gone: look again.
    Again,
    /// No answer.
    Failed(FetchError),
}

/// One fetch with all it needs, independent of the request that caused it.
pub(crate) struct Fetch {
    pub(crate) site: Arc<Site>,
    pub(crate) head: Parts,
    /// The client's fields, which select the variant.
    pub(crate) selecting: HeaderMap,
    pub(crate) directives: RequestDirectives,
    /// The position that the tier below accepts.
    pub(crate) least: Option<LogPosition>,
    /// Whether the tier above vouches for its answer; nothing of an origin, whose word it is anyway.
    pub(crate) vouched: Option<bool>,
    /// What this node may say of an answer that it does not vouch for itself.
    pub(crate) word: Word,
    /// The tier above says that its answer is stale, and why: for those who are there now, not to be stored.
    pub(crate) stale_above: Option<HeaderValue>,
    /// The node could not vouch for what it stored when the request arrived.
    pub(crate) unvouched: bool,
    /// Whose turn it takes upstream.
    pub(crate) flow: u64,
}

impl<B: Backend> Pipeline<B> {
    /// Takes a tier's word for its answer; false when it does not vouch for what was asked.
    fn believe(&self, obligation: &mut Obligation, asked: Seq, word: Option<&LogPosition>) -> bool {
        let here = self.node.log.position(asked);
        let same = word.filter(|word| here.as_ref().is_some_and(|here| here.epoch == word.epoch));
        match same {
            Some(word) if word.seq >= asked => {
                obligation.vouched_by_tier(word.seq);
                true
            }
            _ => false,
        }
    }

    /// Starts `fetch` and returns where its result will be. Nobody need be there to take it.
    pub(crate) fn start(
        self: &Arc<Self>,
        mut fetch: Fetch,
        obligation: Obligation,
        interim: Option<Interim>,
    ) -> oneshot::Receiver<Fetched> {
        if let Some(interim) = interim {
            interim.attach(&mut fetch.head);
        }
        let (reply, result) = oneshot::channel();
        let pipeline = self.clone();
        tokio::spawn(async move { pipeline.fetch_and_store(fetch, obligation, reply).await });
        result
    }

    async fn fetch_and_store(
        &self,
        mut fetch: Fetch,
        mut obligation: Obligation,
        reply: oneshot::Sender<Fetched>,
    ) {
        if let Some(stale) = obligation.stale() {
            add_validators(&stale.header_map(), &mut fetch.head.headers);
        }
        let request_time = self.node.now();
        let asked = obligation.sent(|| self.node.least(fetch.least.as_ref()));
        self.node.metrics.upstream_requests.inc();
        let ask = Ask {
            node: &self.node,
            site: &fetch.site,
            key_hash: upstream::ring::hash_key(obligation.key()),
            flow: fetch.flow,
            least: self.node.log.position(asked),
            across: obligation.is_across(),
            past_stores: false,
        };
        let answer = self.backend.fetch(&ask, fetch.head.clone(), upstream::empty_body()).await;
        let Reply { mut response, source } = match answer {
            Ok(reply) => reply,
            Err(error) => {
                self.node.metrics.upstream_errors.with_label_values(&[error.as_str()]).inc();
                tracing::warn!(site = fetch.site.spec.name, %error, "fetch failed");
                obligation.fail(failure(&error));
                let _ = reply.send(Fetched::Failed(error));
                return;
            }
        };
        self.node.metrics.upstream_answered(source);
        let now = self.node.now();
        let version = response.version();
        let date = format_http_date(now);
        let word = forward::returned(&self.node, version, response.headers_mut(), &date);
        if source.is_tier() {
            fetch.stale_above = unmark(response.headers_mut());
            fetch.vouched = Some(self.believe(&mut obligation, asked, word.as_ref()));
            fetch.word = Word::Tier(word);
        }
        let timing = (request_time, now);
        match response.status() {
            StatusCode::NOT_MODIFIED if obligation.stale().is_some() => {
                self.validated(&fetch, obligation, response.headers(), timing, reply);
            }
            status
                if status.is_server_error()
                    && !fetch.unvouched
                    && !self.node.unvouched()
                    && stands_in(&obligation, &fetch, now) =>
            {
                let again = retry_after(response.headers());
                obligation.fail(erred(status, again));
                let _ = reply.send(Fetched::ErredOver(status, again));
            }
            status if describes_stored(&fetch, &obligation) => {
                let stale = obligation.stale().cloned();
                let matches = stale.is_some_and(|stale| {
                    let length = stale.body().complete_len();
                    head_matches(&stale.header_map(), length, status, response.headers())
                });
                if matches {
                    return self.freshen(&fetch, obligation, response.headers(), timing, reply);
                }
                // What is stored is out of date, whatever this one is worth.
                obligation.discard_stale();
                self.store(&fetch, obligation, response, source, timing, reply).await;
            }
            _ => self.store(&fetch, obligation, response, source, timing, reply).await,
        }
    }

    /// A 304: the stored response is good, if it is the one that was asked about.
    //= rfc9111#4.3.3
    fn validated(
        &self,
        fetch: &Fetch,
        mut obligation: Obligation,
        update: &HeaderMap,
        timing: (Timestamp, Timestamp),
        reply: oneshot::Sender<Fetched>,
    ) {
        let same = obligation.stale().is_some_and(|s| validates(&s.header_map(), update));
        if same {
            return self.freshen(fetch, obligation, update, timing, reply);
        }
        // It speaks of another representation than ours, which is of no use any more.
        obligation.discard_stale();
        drop(obligation);
        let _ = reply.send(Fetched::Again);
    }

    /// Makes the stored response fresh again without moving its body.
    //= rfc9111#4.3.4
    //= rfc9111#4.3.5
    fn freshen(
        &self,
        fetch: &Fetch,
        mut obligation: Obligation,
        update: &HeaderMap,
        timing: (Timestamp, Timestamp),
        reply: oneshot::Sender<Fetched>,
    ) {
        let Some(stale) = obligation.stale().cloned() else { return };
        let mut headers = stale.header_map();
        freshen_headers(&mut headers, update);
        let kept = match judge(fetch, stale.status, &headers, timing) {
            Ok(_) if fetch.vouched == Some(false) => Err(NoStoreReason::Unvouched),
            judged => judged,
        };
        let word = match fetch.vouched {
            Some(false) => fetch.word.clone(),
            _ => Word::Own,
        };
        let mut withheld = HeaderMap::new();
        if let Some(mark) = &fetch.stale_above {
            say_stale(&mut withheld, mark);
        }
        match kept {
            Ok(kept) => {
                let tags = groups::tags(obligation.key(), &headers);
                withheld.extend(strip(&mut headers, &kept));
                if fetch.site.policy.set_cookie == SetCookie::Strip {
                    withheld.remove(header::SET_COOKIE);
                }
                let (freshness, vary) = (kept.freshness, kept.vary);
                let object = obligation.freshen(NewHead { headers, freshness, vary, tags });
                let kept = Ok(());
                let _ = reply.send(Fetched::Freshened { object, word, withheld, kept });
            }
            Err(reason) => {
                // Good for this one answer, which is as the 304 says, but not to be kept.
                self.not_stored(reason);
                let (asked, answered) = timing;
                let freshness = Freshness::of_one_answer(&headers, asked, answered);
                let (vary, tags) = (None, Tags::default());
                let object = obligation.renewed(NewHead { headers, freshness, vary, tags });
                obligation.discard_stale();
                obligation.decline(reason, None);
                let (object, kept) = (object.unwrap_or(stale), Err(reason));
                let _ = reply.send(Fetched::Freshened { object, word, withheld, kept });
            }
        }
    }

    async fn store(
        &self,
        fetch: &Fetch,
        mut obligation: Obligation,
        mut response: Response<upstream::Body>,
        source: Source,
        timing: (Timestamp, Timestamp),
        reply: oneshot::Sender<Fetched>,
    ) {
        let length = response.body().size_hint().exact();
        let too_large =
            length.is_some_and(|l| l > self.node.config().snapshot().cache.max_object_bytes);
        let kept = match judge(fetch, response.status(), response.headers(), timing) {
            Ok(_) if too_large => Err(NoStoreReason::TooLarge),
            Ok(_) if fetch.vouched == Some(false) => Err(NoStoreReason::Unvouched),
            judged => judged,
        };
        let kept = match kept {
            Ok(kept) => kept,
            Err(reason) => {
                self.not_stored(reason);
                if obligation.stale().is_some() {
                    obligation.discard_stale();
                }
                let status = response.status();
                if status.is_server_error() {
                    // Asking once more for each of those who wait would not help an origin in trouble.
                    obligation.fail(erred(status, retry_after(response.headers())));
                } else {
                    obligation.decline(reason, mark(reason, &fetch.site, timing.1));
                }
                if let Some(mark) = &fetch.stale_above {
                    say_stale(response.headers_mut(), mark);
                }
                let _ = reply.send(Fetched::Relayed(response, reason, fetch.word.clone()));
                return;
            }
        };
        let (fill, body, mut withheld) = begin(fetch, obligation, response, kept);
        if let Some(mark) = &fetch.stale_above {
            say_stale(&mut withheld, mark);
        }
        let (found, status) = (fill.found(), fill.object().status);
        let kept = match source.is_kept_elsewhere() {
            true => Err(NoStoreReason::PeerOwns),
            false => Ok(()),
        };
        let _ = reply.send(Fetched::Stored { found, status, withheld, kept });
        self.pump(fill, body, &fetch.site, kept).await;
    }

    /// Stores the answer to a POST for GETs of its target, where it says that it is one; gives what to
    /// answer with.
    //= rfc9110#9.3.3
    pub(crate) fn store_post(
        self: &Arc<Self>,
        received: &Received,
        obligation: Obligation,
        response: Response<upstream::Body>,
        kept: Storable,
    ) -> Found {
        let mut head = received.head.clone();
        head.method = Method::GET;
        let fetch = Fetch {
            site: received.site.clone(),
            selecting: head.headers.clone(),
            head,
            directives: received.directives,
            least: None,
            vouched: None,
            word: Word::Own,
            stale_above: None,
            unvouched: received.unvouched,
            flow: received.flow(),
        };
        let (fill, body, _) = begin(&fetch, obligation, response, kept);
        let found = fill.found();
        let this = self.clone();
        tokio::spawn(async move { this.pump(fill, body, &fetch.site, Ok(())).await });
        found
    }

    /// Moves the body into the store, at the pace of the origin.
    async fn pump(
        &self,
        mut fill: Fill,
        mut body: upstream::Body,
        site: &Site,
        kept: Result<(), NoStoreReason>,
    ) {
        loop {
            let data: Bytes = match body.frame().await {
                None => break,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    self.node.metrics.upstream_errors.with_label_values(&[error.as_str()]).inc();
                    tracing::warn!(site = site.spec.name, %error, "fill cut short");
                    self.not_stored(NoStoreReason::Truncated);
                    fill.abort(NoStoreReason::Truncated);
                    return;
                }
            };
            self.node.metrics.fetched.inc_by(data.len() as u64);
            match fill.append(&data).await {
                Progress::Storing | Progress::Streaming => {}
                Progress::Abandoned => return,
            }
        }
        let finished = match kept {
            Ok(()) => fill.finish().map(drop),
            Err(reason) => fill.let_go(reason),
        };
        if let Err(reason) = finished {
            self.not_stored(reason);
        }
    }

    fn not_stored(&self, reason: NoStoreReason) {
        self.node.metrics.not_stored.with_label_values(&[reason.as_str()]).inc();
    }
}

/// What those who wait are told of an error between this node and the next.
pub(crate) fn failure(error: &FetchError) -> Failure {
    let (status, reason) = (error.status().as_u16(), error.as_str());
    Failure { status, reason, retry_after: error.retry_after() }
}

/// What they are told of an origin that answers with an error.
pub(crate) fn erred(status: StatusCode, retry_after: Option<u32>) -> Failure {
    Failure { status: status.as_u16(), reason: "origin-error", retry_after }
}

/// Seconds of `Retry-After`, where it has those and not a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<u32> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// Publishes the head of a response that may be stored; its body is to follow.
fn begin(
    fetch: &Fetch,
    obligation: Obligation,
    response: Response<upstream::Body>,
    kept: Storable,
) -> (Fill, upstream::Body, HeaderMap) {
    let (parts, body) = response.into_parts();
    let length = body.size_hint().exact();
    let mut headers = parts.headers;
    let tags = groups::tags(obligation.key(), &headers);
    let mut withheld = strip(&mut headers, &kept);
    if fetch.site.policy.set_cookie == SetCookie::Strip {
        withheld.remove(header::SET_COOKIE);
    }
    let head_only = fetch.head.method == Method::HEAD;
    if !head_only {
        // The body says how long it is.
        headers.remove(header::CONTENT_LENGTH);
        if parts.status == StatusCode::OK && !headers.contains_key(header::ACCEPT_RANGES) {
            headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
    }
    let variant = variant_key(kept.vary.as_ref(), &fetch.selecting, &fetch.site.variants);
    let fill = obligation.begin(NewObject {
        status: parts.status,
        headers,
        freshness: kept.freshness,
        vary: kept.vary,
        variant,
        tags,
        content_length: if head_only { Some(0) } else { length },
        head_only,
    });
    (fill, body, withheld)
}

fn judge(
    fetch: &Fetch,
    status: StatusCode,
    response: &HeaderMap,
    (request_time, response_time): (Timestamp, Timestamp),
) -> Result<Storable, NoStoreReason> {
    let exchange = Exchange {
        method: &fetch.head.method,
        request: &fetch.selecting,
        request_directives: &fetch.directives,
        status,
        response,
        request_time,
        response_time,
    };
    if too_many_tags(response, TagLimits::default()) {
        return Err(NoStoreReason::TooManyTags);
    }
    storable(&exchange, &fetch.site.policy)
}

/// Whether a HEAD was asked about a response that a GET stored (RFC 9111 §4.3.5).
fn describes_stored(fetch: &Fetch, obligation: &Obligation) -> bool {
    fetch.head.method == Method::HEAD && obligation.stale().is_some_and(|stale| !stale.head_only)
}

/// Whether what is stored may stand in for the origin's error (RFC 5861 §4).
fn stands_in(obligation: &Obligation, fetch: &Fetch, now: Timestamp) -> bool {
    obligation.stale().is_some_and(|stale| may_stand_in(stale, &fetch.directives, now))
}

/// Whether `stale` may answer in place of an error; an error stored earlier is no better than a new one.
//= rfc5861#4
pub(crate) fn may_stand_in(stale: &Object, directives: &RequestDirectives, now: Timestamp) -> bool {
    !stale.status.is_server_error() && stale.freshness.may_serve_on_error(directives, now)
}

/// Until when a URL counts as uncacheable, if what was learnt is about the URL and not about one request.
fn mark(reason: NoStoreReason, site: &Site, now: Timestamp) -> Option<Timestamp> {
    let about_the_request = matches!(
        reason,
        NoStoreReason::Authorization | NoStoreReason::RequestNoStore | NoStoreReason::Unvouched
    );
    let shortest = Duration::from_secs(1);
    (!about_the_request).then(|| now.saturating_add(site.hit_for_miss.max(shortest)))
}

/// Takes out the fields that may be shown to one request only, and returns them.
fn strip(headers: &mut HeaderMap, kept: &Storable) -> HeaderMap {
    let mut withheld = HeaderMap::new();
    for name in &kept.strip {
        if let header::Entry::Occupied(entry) = headers.entry(name) {
            let (name, values) = entry.remove_entry_mult();
            withheld.extend(values.map(|value| (name.clone(), value)));
        }
    }
    withheld
}
