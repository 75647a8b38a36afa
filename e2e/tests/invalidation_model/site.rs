//! The origin: URLs whose content has versions, tags that change with them, and what it answers.

use cache::{NewHead, NewObject, Object, Tags};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use semantics::{Exchange, Freshness, Policy, RequestDirectives, Timestamp, storable};

/// How many URLs there are.
pub const KEYS: usize = 12;
/// How many tags there are.
pub const TAGS: usize = 6;
/// How many kinds of content there are, as a field of the response says.
pub const KINDS: u32 = 2;

const KIND: HeaderName = HeaderName::from_static("x-kind");

/// The path of a URL: half of them are under `/a/`.
pub fn path(key: usize) -> String {
    if key < KEYS / 2 { format!("/a/{key}") } else { format!("/b/{}", key - KEYS / 2) }
}

/// The key it is stored under.
pub fn key_of(key: usize) -> Vec<u8> {
    format!("http://h{}", path(key)).into_bytes()
}

pub fn tag(number: usize) -> String {
    format!("t{number}")
}

/// The tags of one version, as bits: one that stays, and one that changes with the version.
pub fn tags(key: usize, version: u32) -> u32 {
    let stays = 1 << (key % 3);
    let changes = 1 << (3 + (key + version as usize) % 3);
    if key % 4 == 1 { stays } else { stays | changes }
}

pub fn kind(version: u32) -> u32 {
    version % KINDS
}

pub struct Origin {
    pub versions: [u32; KEYS],
    policy: Policy,
    request: HeaderMap,
}

impl Origin {
    pub fn new() -> Self {
        Self { versions: [1; KEYS], policy: Policy::default(), request: HeaderMap::new() }
    }

    /// The fields of a version that left the origin `age` seconds ago.
    fn fields(&self, key: usize, version: u32, age: u32) -> HeaderMap {
        let number = |n: u32| HeaderValue::from(n);
        let lifetime = match key % 3 {
            _ if key > 5 => "max-age=300",
            0 => "max-age=60, stale-while-revalidate=30",
            1 => "max-age=25",
            _ => "max-age=20, stale-while-revalidate=20, stale-if-error=60",
        };
        let mut fields = HeaderMap::with_capacity(4);
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(lifetime));
        fields.insert(header::ETAG, number(version));
        fields.insert(KIND, number(kind(version)));
        fields.insert(header::AGE, number(age));
        fields
    }

    fn freshness(&self, fields: &HeaderMap, now: Timestamp) -> Freshness {
        let exchange = Exchange {
            method: &Method::GET,
            request: &self.request,
            request_directives: &RequestDirectives::default(),
            status: StatusCode::OK,
            response: fields,
            request_time: now,
            response_time: now,
        };
        storable(&exchange, &self.policy).unwrap().freshness
    }

    pub fn object(&self, key: usize, version: u32, age: u32, now: Timestamp) -> NewObject {
        let headers = self.fields(key, version, age);
        NewObject {
            status: StatusCode::OK,
            freshness: self.freshness(&headers, now),
            headers,
            vary: None,
            variant: Box::default(),
            tags: tag_list(key, version),
            content_length: None,
            head_only: false,
        }
    }

    pub fn head(&self, key: usize, version: u32, age: u32, now: Timestamp) -> NewHead {
        let headers = self.fields(key, version, age);
        let freshness = self.freshness(&headers, now);
        NewHead { freshness, headers, vary: None, tags: tag_list(key, version) }
    }
}

fn tag_list(key: usize, version: u32) -> Tags {
    let bits = tags(key, version);
    let names: Vec<String> = (0..TAGS).filter(|t| bits & (1 << t) != 0).map(tag).collect();
    names.iter().map(String::as_bytes).collect()
}

/// The version that an object says it is of.
pub fn version_of(object: &Object) -> u32 {
    object.header(&header::ETAG).unwrap().to_str().unwrap().parse().unwrap()
}

/// One piece of a version's body.
pub fn piece(version: u32) -> [u8; 64] {
    let mut piece = [version as u8; 64];
    piece[..4].copy_from_slice(&version.to_le_bytes());
    piece
}
