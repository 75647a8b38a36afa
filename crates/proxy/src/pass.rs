//! `pass`: a request that goes past the store, and what its answer invalidates there.

use std::sync::Arc;

use cache::{Found, Lookup, Position};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use http_body_util::Limited;
use semantics::{
    Exchange, PassReason, Timestamp, format_http_date, invalidated_targets, normalize_host,
    post_storable_as_get,
};
use smallvec::SmallVec;
use upstream::FetchError;
use wire::Seq;

use crate::backend::{Ask, Backend, Reply, Source};
use crate::deliver::marks::{say_stale, unmark};
use crate::deliver::{Answer, deliver, relay};
use crate::intake::{Received, too_large};
use crate::outcome::Outcome;
use crate::pipeline::{Pipeline, not_stored};
use crate::refusal::Refusal;
use crate::serve::{Connection, Interim};
use crate::tiers::Word;
use crate::upload::Upload;
use crate::{forward, groups, intake, tunnel};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

impl<B: Backend> Pipeline<B> {
    /// Sends a request on as the client meant it and returns the answer as the origin meant it.
    pub(crate) async fn pass(
        self: &Arc<Self>,
        received: Received,
        body: Option<Upload>,
        reason: PassReason,
        connection: &Arc<Connection>,
    ) -> Answer {
        let node = &self.node;
        let stored_or_nothing = matches!(received.head.method, Method::GET | Method::HEAD);
        //= rfc9111#5.2.1.7
        if received.directives.only_if_cached && stored_or_nothing {
            return self.refuse(not_stored());
        }
        let mut head = forward::passing(node, &received);
        if reason == PassReason::Upgrade {
            tunnel::ask(&received, &mut head);
        }
        if let Some(interim) = Interim::new(connection, received.head.version) {
            interim.attach(&mut head);
        }
        let most = connection.limits().max_body_bytes;
        let body = match body.filter(|_| received.seen.body) {
            Some(body) => {
                match received.head.headers.get(header::CONTENT_LENGTH) {
                    Some(length) => head.headers.insert(header::CONTENT_LENGTH, length.clone()),
                    // Unless told so hyper sends no body with a GET.
                    None if stored_or_nothing => {
                        let chunked = HeaderValue::from_static("chunked");
                        head.headers.insert(header::TRANSFER_ENCODING, chunked)
                    }
                    None => None,
                };
                upstream::stream_body(Limited::new(
                    body,
                    usize::try_from(most).unwrap_or(usize::MAX),
                ))
            }
            None => upstream::empty_body(),
        };
        let request_time = node.now();
        let before = (node.cache.position(), node.cache.asked());
        node.metrics.upstream_requests.inc();
        let ask = Ask {
            node,
            site: &received.site,
            key_hash: self.key_hash(&received),
            flow: received.flow(),
            least: node.log.position(node.cache.asked().max(received.least(node))),
            across: received.below.is_none(),
            past_stores: true,
        };
        let Reply { mut response, source } = match self.backend.fetch(&ask, head, body).await {
            Ok(reply) => reply,
            Err(FetchError::RequestTooLarge) => return self.refuse(too_large(most)),
            Err(error @ (FetchError::RequestBroken | FetchError::RequestStalled)) => {
                let text = "the request's body is malformed, broke off or stopped coming";
                let refusal = Refusal::new(error.status(), error.as_str(), text);
                return self.refuse(refusal.closing());
            }
            Err(error) => {
                node.metrics.upstream_errors.with_label_values(&[error.as_str()]).inc();
                tracing::warn!(site = received.site.spec.name, %error, "pass failed");
                let text = "the origin gave no usable answer";
                let mut refusal = Refusal::new(error.status(), error.as_str(), text);
                refusal.retry_after = error.retry_after();
                return self.refuse(refusal);
            }
        };
        node.metrics.upstream_answered(source);
        let now = node.now();
        if reason == PassReason::Upgrade && response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return tunnel::open(node, received, response, connection);
        }
        if source.is_tier()
            && let Some(mark) = unmark(response.headers_mut())
        {
            say_stale(response.headers_mut(), &mark);
        }
        let (version, date) = (response.version(), format_http_date(now));
        let said = forward::returned(node, version, response.headers_mut(), &date);
        let word = if source.is_tier() { Word::Tier(said) } else { Word::Own };
        let orders = self.invalidate(&received, &response, now);
        // Its own do not overtake it.
        let expected = (before.0.after(orders), before.1);
        match self.keep_post(&received, response, source, (request_time, now), expected) {
            Ok(found) => {
                let status = found.object.status;
                deliver(node, &received, &found.object, Outcome::Pass(reason), Some(status))
            }
            Err(response) => relay(node, &received, *response, Outcome::Pass(reason), &word),
        }
    }

    /// The answer to a POST is stored for later GETs where it says that it is also theirs.
    //= rfc9110#9.3.3
    fn keep_post(
        self: &Arc<Self>,
        received: &Received,
        response: Response<upstream::Body>,
        source: Source,
        (request_time, response_time): (Timestamp, Timestamp),
        expected: (Position, Seq),
    ) -> Result<Found, Box<Response<upstream::Body>>> {
        if received.head.method != Method::POST
            || source.is_tier()
            || !response.headers().contains_key(header::CONTENT_LOCATION)
        {
            return Err(Box::new(response));
        }
        let exchange = Exchange {
            method: &received.head.method,
            request: &received.head.headers,
            request_directives: &received.directives,
            status: response.status(),
            response: response.headers(),
            request_time,
            response_time,
        };
        let Received { scheme, host, site, .. } = received;
        let path = received.path_and_query();
        let kept = post_storable_as_get(&exchange, scheme, host, path, &site.policy);
        match (kept, self.lookup(received)) {
            // The duty counts from now on, but what is to be stored was asked for before.
            (Ok(kept), Lookup::Miss(_, duty) | Lookup::Stale(_, _, _, Some(duty)))
                if expected == (self.node.cache.position(), self.node.cache.asked()) =>
            {
                Ok(self.store_post(received, duty, response, kept))
            }
            _ => Err(Box::new(response)),
        }
    }

    /// A change at the origin makes stored copies of what it names wrong (RFC 9111 §4.4).
    //= rfc9111#4.4
    /// How many orders that took.
    fn invalidate<T>(&self, received: &Received, response: &Response<T>, now: Timestamp) -> u64 {
        let mut keys = SmallVec::<[Vec<u8>; 4]>::new();
        for authority in names_of_origin(received) {
            let targets = invalidated_targets(
                &received.head.method,
                response.status(),
                received.scheme,
                authority,
                received.path_and_query(),
                response.headers(),
            );
            for target in targets {
                let Ok(uri) = target.parse::<Uri>() else { continue };
                let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
                let mut key = Vec::new();
                self.write_key(&mut key, received, path);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        let orders: u64 = keys.iter().map(|key| groups::url_changed(&self.node, key, now)).sum();
        orders + groups::invalidate(&self.node, received, response)
    }
}

/// What the origin of `received` may call itself: the site's host, or that with the port which the client used. A tier
/// is told by the one below it.
fn names_of_origin(received: &Received) -> SmallVec<[&str; 2]> {
    let told = || received.head.headers.get(X_FORWARDED_HOST)?.to_str().ok();
    let named = if received.below.is_some() { told() } else { Some(received.asked_for()) };
    let same = |name: &&str| {
        let host = normalize_host(name, received.scheme);
        *name != &*received.host && host.is_ok_and(|h| intake::without_port(&h) == &*received.host)
    };
    std::iter::once(&*received.host).chain(named.filter(same)).collect()
}
