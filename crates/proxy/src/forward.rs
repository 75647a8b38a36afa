//! Requests on their way upstream: what goes on, what stays here, what is added.

use std::sync::LazyLock;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Version};
use semantics::targeted::SURROGATE_ID;
use semantics::{
    append_cdn_loop, append_forwarded, append_via, normalize_target, request_id, strip_hop_by_hop,
};
use wire::LogPosition;

use crate::config::Node;
use crate::intake::Received;
use crate::{ping, tiers};

/// Names a request in the logs of every tier it passes.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Tells the origin which name a `Surrogate-Control` directive reaches this cache by.
const SURROGATE_CAPABILITY: HeaderName = HeaderName::from_static("surrogate-capability");
static CAPABILITY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let text = format!("{SURROGATE_ID}=\"Surrogate/1.0\"");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
});

/// Conditions and ranges of the client: the store answers them, upstream is asked for all of it.
const CLIENTS_OWN: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// The head of a request that fills the store: a plain GET (or HEAD) for the whole, in identity coding
/// where this tier compresses itself.
pub(crate) fn filling(node: &Node, received: &Received) -> Parts {
    let mut head = received.head.clone();
    head.extensions.clear();
    for name in CLIENTS_OWN {
        head.headers.remove(name);
    }
    // The origin must answer what the key says, or one spelling's answer is stored for all.
    let target = normalize_target(received.path_and_query());
    if let Ok(target) = target.parse() {
        head.uri = target;
    }
    if received.site.compression.is_some() {
        head.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    // What others are answered with may depend on nothing that the key leaves out, such as a port.
    onward(node, received, &received.host, &mut head);
    head
}

/// The head of a request that goes past the store, as the client meant it.
pub(crate) fn passing(node: &Node, received: &Received) -> Parts {
    let mut head = received.head.clone();
    head.extensions.clear();
    onward(node, received, received.asked_for(), &mut head);
    head
}

//= rfc9110#7.6.1
//= rfc9110#7.6.3
//= rfc8586#2
fn onward(node: &Node, received: &Received, asked_for: &str, head: &mut Parts) {
    let version = head.version;
    // The body is framed anew, but its announced length is worth keeping.
    strip_hop_by_hop(&mut head.headers);
    head.headers.remove(header::EXPECT);
    head.headers.remove(crate::intake::DEBUG);
    ping::count_down(head);
    if let Ok(host) = HeaderValue::from_str(&received.host) {
        head.headers.insert(header::HOST, host);
    }
    append_forwarded(
        &mut head.headers,
        received.client,
        asked_for,
        received.scheme,
        received.trusted,
    );
    append_via(&mut head.headers, version, &node.name);
    append_cdn_loop(&mut head.headers, node.cdn_id(received.below.is_some()));
    head.headers.append(SURROGATE_CAPABILITY, CAPABILITY.clone());
    let known = received.trusted && request_id(&head.headers).is_some();
    if !known && let Ok(id) = HeaderValue::from_str(&node.new_request_id()) {
        head.headers.insert(X_REQUEST_ID, id);
    }
    head.version = Version::HTTP_11;
}

/// A response head as it came: hop-by-hop fields go, a missing `Date` is added, `Via` grows.
//= rfc9110#6.6.1
pub(crate) fn returned(
    node: &Node,
    version: Version,
    headers: &mut HeaderMap,
    date: &str,
) -> Option<LogPosition> {
    let position = tiers::take(headers);
    strip_hop_by_hop(headers);
    if !headers.contains_key(header::DATE)
        && let Ok(date) = HeaderValue::from_str(date)
    {
        headers.insert(header::DATE, date);
    }
    append_via(headers, version, &node.name);
    position
}

impl Node {
    /// Unique among the nodes of a deployment for longer than logs are kept.
    pub(crate) fn new_request_id(&self) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let since = self.clock.monotonic().saturating_add(Duration::from_nanos(count));
        format!("{}-{:x}-{:x}-{count:x}", self.name, self.clock.now_millis(), since.as_nanos())
    }
}
