//! A trace through the real store.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use cache::{Cache, EvictionPolicy, Lookup, NewObject, Position, Query, Settings, Tags};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use semantics::{
    Exchange, Freshness, Policy, RequestDirectives, Timestamp, VariantRules, storable,
};

use crate::traces::Trace;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// What the store charges for each object.
pub(crate) fn costs(trace: &Trace) -> Vec<u64> {
    let mut known = HashMap::new();
    let cost = |size: &u32| *known.entry(*size).or_insert_with(|| charged(*size));
    trace.sizes.iter().map(cost).collect()
}

/// What a store of its own charges for an object with a body of this size.
fn charged(size: u32) -> u64 {
    let store = Client::new(1 << 30, EvictionPolicy::Lru);
    store.request(0, size);
    match store.ask(&key(0)) {
        Lookup::Hit(found) => found.object.bytes_used(),
        _ => 0,
    }
}

/// Hits of a policy.
pub(crate) fn hits(trace: &Trace, bytes: u64, eviction: EvictionPolicy) -> usize {
    let store = Client::new(bytes, eviction);
    let sizes = &trace.sizes;
    trace.requests.iter().filter(|object| store.request(**object, sizes[**object as usize])).count()
}

struct Client {
    cache: Arc<Cache>,
    request: HeaderMap,
    response: HeaderMap,
    freshness: Option<Freshness>,
    body: Vec<u8>,
}

impl Client {
    fn new(capacity: u64, eviction: EvictionPolicy) -> Self {
        let cache = Cache::new(Settings { capacity, eviction, ..Settings::default() });
        let mut response = HeaderMap::new();
        response.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
        response.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let request = HeaderMap::new();
        let exchange = Exchange {
            method: &Method::GET,
            request: &request,
            request_directives: &RequestDirectives::default(),
            status: StatusCode::OK,
            response: &response,
            request_time: NOW,
            response_time: NOW,
        };
        let freshness = storable(&exchange, &Policy::default()).ok().map(|it| it.freshness);
        Self { cache, request, response, freshness, body: vec![7; 1 << 20] }
    }

    fn ask(&self, key: &[u8]) -> Lookup {
        self.cache.lookup(&Query {
            key,
            head: false,
            request: &self.request,
            rules: &VariantRules::default(),
            directives: &RequestDirectives::default(),
            now: NOW,
            arrived: Position::default(),
            unvouched: false,
            going: cache::Going::Up,
        })
    }

    /// Whether it was a hit; if not, it is stored.
    fn request(&self, object: u32, size: u32) -> bool {
        match self.ask(&key(object)) {
            Lookup::Hit(_) => true,
            Lookup::Miss(_, obligation) => {
                let Some(freshness) = self.freshness else {
                    return false;
                };
                let mut fill = obligation.begin(NewObject {
                    status: StatusCode::OK,
                    headers: self.response.clone(),
                    freshness,
                    vary: None,
                    variant: Box::default(),
                    tags: Tags::default(),
                    content_length: Some(u64::from(size)),
                    head_only: false,
                });
                let appended = {
                    let append = pin!(fill.append(&self.body[..size as usize]));
                    append.poll(&mut Context::from_waker(Waker::noop()))
                };
                if appended.is_ready() {
                    // One that does not fit is a miss the next time.
                    let _ = fill.finish();
                }
                false
            }
            _ => false,
        }
    }
}

fn key(object: u32) -> Vec<u8> {
    format!("http://example.com/objects/{object:08}").into_bytes()
}
