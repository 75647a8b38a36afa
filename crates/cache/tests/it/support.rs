//! What the tests share: a tiny executor and requests in one line.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use cache::{
    BodyReader, Cache, EvictionPolicy, Fill, Found, Lookup, NewHead, NewObject, Obligation,
    Position, Query, Settings, Tags, Waiter,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use semantics::{
    Coding, CodingSet, Exchange, Freshness, Policy, RequestDirectives, Timestamp, VariantRules,
    VaryField, parse_vary, storable, variant_key,
};

pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + seconds * 1000)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub fn store(capacity: u64) -> Arc<Cache> {
    Cache::new(Settings { capacity, ..Settings::default() })
}

pub fn store_with(eviction: EvictionPolicy, capacity: u64, max_object: u64) -> Arc<Cache> {
    Cache::new(Settings { capacity, eviction, max_object, max_variants: 4 })
}

pub fn fields(list: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

pub fn rules() -> VariantRules {
    VariantRules { encodings: [Coding::Gzip, Coding::Br].into_iter().collect::<CodingSet>() }
}

/// A request: key, fields, time.
#[derive(Clone)]
pub struct Ask<'a> {
    pub key: &'a [u8],
    pub head: bool,
    pub fields: HeaderMap,
    pub now: Timestamp,
    /// When it arrived, if not when it asks.
    pub arrived: Option<Position>,
    pub unvouched: bool,
}

impl<'a> Ask<'a> {
    pub fn get(key: &'a str) -> Self {
        Self {
            key: key.as_bytes(),
            head: false,
            fields: HeaderMap::new(),
            now: NOW,
            arrived: None,
            unvouched: false,
        }
    }

    pub fn head(key: &'a str) -> Self {
        Self { head: true, ..Self::get(key) }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn at(mut self, seconds: i64) -> Self {
        self.now = at(seconds);
        self
    }

    pub fn of(&self, cache: &Arc<Cache>) -> Lookup {
        let directives = RequestDirectives::parse(&self.fields);
        cache.lookup(&Query {
            key: self.key,
            head: self.head,
            request: &self.fields,
            rules: &rules(),
            directives: &directives,
            now: self.now,
            arrived: self.arrived.unwrap_or_else(|| cache.position()),
            unvouched: self.unvouched,
            going: cache::Going::Up,
        })
    }

    pub fn hit(&self, cache: &Arc<Cache>) -> Found {
        match self.of(cache) {
            Lookup::Hit(found) => found,
            other => panic!("expected a hit, not {other:?}"),
        }
    }

    pub fn miss(&self, cache: &Arc<Cache>) -> Obligation {
        match self.of(cache) {
            Lookup::Miss(_, obligation) => obligation,
            other => panic!("expected a miss, not {other:?}"),
        }
    }

    pub fn wait(&self, cache: &Arc<Cache>) -> Waiter {
        match self.of(cache) {
            Lookup::Wait(waiter) => waiter,
            other => panic!("expected to wait, not {other:?}"),
        }
    }

    pub fn stale(&self, cache: &Arc<Cache>) -> (Found, Option<Obligation>) {
        match self.of(cache) {
            Lookup::Stale(found, _, _, obligation) => (found, obligation),
            other => panic!("expected a stale hit, not {other:?}"),
        }
    }

    /// What the origin answers to this request, storable.
    pub fn answer(&self, response: &[(&str, &str)]) -> NewObject {
        let headers = fields(response);
        let vary = match parse_vary(&headers) {
            VaryField::Fields(vary) => Some(vary),
            _ => None,
        };
        NewObject {
            status: StatusCode::OK,
            freshness: freshness(&headers, self.now),
            variant: variant_key(vary.as_ref(), &self.fields, &rules()),
            vary,
            tags: tags(&headers),
            content_length: None,
            head_only: self.head,
            headers,
        }
    }

    /// Misses and stores.
    pub fn fill(&self, cache: &Arc<Cache>, response: &[(&str, &str)], body: &[u8]) {
        let mut fill = self.miss(cache).begin(self.answer(response));
        write(&mut fill, body);
        fill.finish().unwrap();
    }
}

pub fn freshness(headers: &HeaderMap, now: Timestamp) -> Freshness {
    let exchange = Exchange {
        method: &Method::GET,
        request: &HeaderMap::new(),
        request_directives: &RequestDirectives::default(),
        status: StatusCode::OK,
        response: headers,
        request_time: now,
        response_time: now,
    };
    storable(&exchange, &Policy::default()).unwrap().freshness
}

pub fn renewed(response: &[(&str, &str)], now: Timestamp) -> NewHead {
    let headers = fields(response);
    let vary = match parse_vary(&headers) {
        VaryField::Fields(vary) => Some(vary),
        _ => None,
    };
    NewHead { freshness: freshness(&headers, now), vary, tags: tags(&headers), headers }
}

fn tags(headers: &HeaderMap) -> Tags {
    semantics::surrogate_tags(headers, semantics::TagLimits::default()).collect()
}

pub fn write(fill: &mut Fill, body: &[u8]) {
    for piece in body.chunks(16 << 10) {
        block_on(fill.append(piece));
    }
}

pub fn read(mut reader: BodyReader) -> Result<Vec<u8>, cache::Truncated> {
    let mut body = Vec::new();
    while let Some(piece) = block_on(reader.chunk()) {
        body.extend_from_slice(&piece?);
    }
    Ok(body)
}

pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

pub const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60"), ("etag", "\"1\"")];
