//! `recv`: what a request is, before anything is done for it; refused here or never.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use semantics::{
    LoopVerdict, PassReason, RequestDirectives, asked_upgrade, cdn_loop_check, join_cookies,
    normalize_host, strip_nominated,
};

use crate::config::{Config, Node};
use crate::front_door::METHODS;
use crate::refusal::Refusal;
use crate::serve::Connection;
use crate::site::Site;
use crate::tiers::{self, Below};

/// Fields between our tiers; a client's are dropped.
const INTERNAL: [HeaderName; 2] = [tiers::POSITION, tiers::IF_HELD];
/// Asks for the debug fields of O4.
pub(crate) const DEBUG: HeaderName = HeaderName::from_static("x-cdn-debug");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A request that was understood.
pub(crate) struct Received {
    pub(crate) site: Arc<Site>,
    /// The host it is for, normalised, without a port.
    pub(crate) host: Box<str>,
    pub(crate) scheme: &'static str,
    pub(crate) directives: RequestDirectives,
    pub(crate) head: Parts,
    pub(crate) seen: Seen,
    pub(crate) client: IpAddr,
    /// The peer is one whose `X-Forwarded-*` count.
    pub(crate) trusted: bool,
    /// How far it sees invalidations.
    pub(crate) arrived: cache::Position,
    /// The node could not vouch for what it stored when the request arrived.
    pub(crate) unvouched: bool,
    /// What is between this tier and the one below it; nothing towards clients.
    pub(crate) below: Option<Below>,
    /// The client means this node and no other of its place: it was sent here.
    pub(crate) sent_here: bool,
}

/// Which fields a request has, found in one pass.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) cache_directives: bool,
    pub(crate) conditions: bool,
    pub(crate) range: bool,
    pub(crate) upgrade: bool,
    pub(crate) authorization: bool,
    pub(crate) body: bool,
    pub(crate) debug: bool,
    connection: bool,
    cdn_loop: bool,
    internal: bool,
    forwarded_proto: bool,
    expect: bool,
    hosts: u8,
}

impl Seen {
    fn look(head: &Parts) -> Self {
        let mut seen = Self::default();
        for name in head.headers.keys() {
            match *name {
                header::HOST => seen.hosts += 1,
                header::CACHE_CONTROL | header::PRAGMA => seen.cache_directives = true,
                header::IF_NONE_MATCH
                | header::IF_MODIFIED_SINCE
                | header::IF_MATCH
                | header::IF_UNMODIFIED_SINCE => seen.conditions = true,
                header::RANGE => seen.range = true,
                header::UPGRADE => {
                    seen.upgrade = asked_upgrade(head.version, &head.headers).is_some();
                }
                header::CONNECTION => seen.connection = true,
                header::AUTHORIZATION => seen.authorization = true,
                header::EXPECT => seen.expect = true,
                _ if *name == semantics::fields::CDN_LOOP => seen.cdn_loop = true,
                _ if *name == DEBUG => seen.debug = true,
                _ if *name == X_FORWARDED_PROTO => seen.forwarded_proto = true,
                _ if INTERNAL.contains(name) => seen.internal = true,
                _ => {}
            }
        }
        seen
    }
}

/// Reads what `head` asks for; a body comes with it or not, which over HTTP/2 no field need say.
pub(crate) fn receive(
    mut head: Parts,
    has_body: bool,
    node: &Node,
    config: &Config,
    connection: &Connection,
    for_tiers: bool,
) -> Result<Received, Refusal> {
    if head.version == Version::HTTP_2 {
        join_cookies(&mut head.headers);
        check_fields(&head, connection)?;
    }
    let mut seen = Seen::look(&head);
    if seen.connection && strip_nominated(&mut head.headers) {
        seen = Seen::look(&head);
    }
    seen.body = has_body;
    let client = connection.peer.ip();
    let trusted = for_tiers || config.trusted.iter().any(|net| net.contains(&client));
    let scheme = scheme(&head, trusted && seen.forwarded_proto);
    check_method(&head, seen)?;
    let Addressee { site, host, sent_here } = addressee(&head, seen, node, config, scheme)?;
    check_upgrade(&head, seen, &site)?;
    check_size(&head, connection)?;
    let below = for_tiers.then(|| Below::of(node, &mut head.headers));
    let only_held = below.as_ref().is_some_and(|below| below.only_held);
    // What is not sent on goes round in no circle.
    //= rfc8586#2
    if seen.cdn_loop
        && !only_held
        && cdn_loop_check(&head.headers, node.cdn_id(for_tiers)) == LoopVerdict::Loop
    {
        return Err(Refusal::new(
            StatusCode::LOOP_DETECTED,
            "loop-detected",
            "this request has been here before; an origin points back at this network",
        ));
    }
    if seen.internal {
        for name in INTERNAL {
            head.headers.remove(name);
        }
    }
    let obey = seen.cache_directives && site.policy.honor_request_directives;
    let mut directives =
        if obey { RequestDirectives::parse(&head.headers) } else { RequestDirectives::default() };
    directives.only_if_cached |= only_held;
    let (arrived, unvouched) = (node.cache.position(), node.unvouched());
    Ok(Received {
        site,
        host,
        scheme,
        directives,
        head,
        seen,
        client,
        trusted,
        arrived,
        unvouched,
        below,
        sent_here,
    })
}

fn scheme(head: &Parts, believe: bool) -> &'static str {
    let said = head.headers.get(X_FORWARDED_PROTO).filter(|_| believe);
    match said {
        Some(proto) if proto.as_bytes().eq_ignore_ascii_case(b"https") => "https",
        _ => "http",
    }
}

/// Whom a request is for.
struct Addressee {
    site: Arc<Site>,
    host: Box<str>,
    sent_here: bool,
}

/// The site and host that a request is for (RFC 9112 §3.2, RFC 9110 §7.2).
//= rfc9112#3.2
//= rfc9112#3.2.2
fn addressee(
    head: &Parts,
    seen: Seen,
    node: &Node,
    config: &Config,
    scheme: &str,
) -> Result<Addressee, Refusal> {
    let bad_host = |text: &str| Refusal::new(StatusCode::BAD_REQUEST, "bad-host", text).closing();
    let field = head.headers.get(header::HOST);
    if head.headers.get_all(header::HOST).iter().nth(1).is_some() {
        return Err(bad_host("send exactly one Host field"));
    }
    if field.is_none() && head.version == Version::HTTP_11 {
        return Err(bad_host("send a Host field"));
    }
    if field.is_some_and(|value| value.to_str().is_err()) {
        return Err(bad_host("Host is not a host name"));
    }
    debug_assert!(seen.hosts <= 1);
    //= rfc9112#3.2.3
    if head.uri.authority().is_some() && head.uri.scheme().is_none() {
        let text = "the request target is neither a path nor a URL";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "bad-target", text).closing());
    }
    let named = authority(head).unwrap_or("");
    let host = normalize_host(named, scheme).map_err(|_| bad_host("Host is not a host name"))?;
    //= rfc9113#8.3.1
    if head.version == Version::HTTP_2
        && let Some(field) = field.and_then(|value| value.to_str().ok())
        && normalize_host(field, scheme).ok().as_deref() != Some(&*host)
    {
        return Err(bad_host("Host and :authority name different hosts; send one of them"));
    }
    let behind = node.known_as(config, &host, scheme);
    let sent_here = behind.is_some();
    let bare = behind.as_deref().unwrap_or_else(|| without_port(&host));
    match config.site(bare) {
        Some((site, known_as)) => {
            let host = known_as.unwrap_or(bare).into();
            Ok(Addressee { site: site.clone(), host, sent_here })
        }
        None => Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host-not-served",
            format!(
                "no site of pool {} serves {bare:?}; add it to `sites[].hosts` of the pool, or send the request elsewhere",
                config.snapshot.pool
            ),
        )),
    }
}

/// The authority that a request names: an absolute request target, and HTTP/2's `:authority`, come before `Host`.
fn authority(head: &Parts) -> Option<&str> {
    let field = || head.headers.get(header::HOST)?.to_str().ok();
    head.uri.authority().map(http::uri::Authority::as_str).or_else(field)
}

/// `host` in normal form, without its port.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}

fn check_method(head: &Parts, seen: Seen) -> Result<(), Refusal> {
    if matches!(head.method, Method::CONNECT | Method::TRACE) {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-refused",
            format!("{} is not for caches; this node neither tunnels nor echoes", head.method),
        )
        .allowing(METHODS)
        .closing());
    }
    //= rfc9110#10.1.1
    let expect = head.headers.get(header::EXPECT).filter(|_| seen.expect);
    match expect {
        Some(e) if !e.as_bytes().eq_ignore_ascii_case(b"100-continue") => Err(Refusal::new(
            StatusCode::EXPECTATION_FAILED,
            "unknown-expectation",
            "the only expectation understood is 100-continue",
        )),
        _ => Ok(()),
    }
}

//= rfc9110#7.8
fn check_upgrade(head: &Parts, seen: Seen, site: &Site) -> Result<(), Refusal> {
    if !seen.upgrade || site.spec.upgrade {
        return Ok(());
    }
    let asked = asked_upgrade(head.version, &head.headers);
    let mut protocols =
        asked.as_ref().map_or(&b""[..], HeaderValue::as_bytes).split(|b| *b == b',');
    if protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket")) {
        return Err(Refusal::new(
            StatusCode::NOT_IMPLEMENTED,
            "upgrade-refused",
            "WebSockets are off for this site; `upgrade: Tunnel` in the pool's site turns them on",
        ));
    }
    Ok(())
}

/// HTTP/1 heads are counted as they are read.
fn check_fields(head: &Parts, connection: &Connection) -> Result<(), Refusal> {
    let most = connection.limits().max_fields;
    if head.headers.len() <= most as usize {
        return Ok(());
    }
    let text = format!("a request may have {most} fields; see `limits.maxHeaders` of the pool");
    Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too-many-fields", text))
}

fn check_size(head: &Parts, connection: &Connection) -> Result<(), Refusal> {
    let most = connection.limits().max_body_bytes;
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    match length.and_then(|l| l.parse::<u64>().ok()) {
        Some(length) if length > most => Err(too_large(most)),
        _ => Ok(()),
    }
}

/// 413, for a body of more than `most` bytes.
pub(crate) fn too_large(most: u64) -> Refusal {
    let text = format!("the body may have {most} bytes; see `limits.maxBodySize` of the pool");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", text).closing()
}

impl Received {
    /// Whether this request goes past the store, and why.
    pub(crate) fn pass_reason(&self) -> Option<PassReason> {
        let cacheable = matches!(self.head.method, Method::GET | Method::HEAD);
        match () {
            () if self.seen.upgrade && self.site.spec.upgrade => Some(PassReason::Upgrade),
            () if !cacheable => Some(PassReason::Method),
            () if self.seen.body => Some(PassReason::RequestBody),
            // The letter of RFC 9111 §5.2.1.5 allows an answer from the store; who says no-store means it.
            () if self.directives.no_store => Some(PassReason::RequestNoStore),
            () => None,
        }
    }

    pub(crate) fn is_head(&self) -> bool {
        self.head.method == Method::HEAD
    }

    /// Whose turn it takes upstream: requests for other hosts are not to wait for those for this one.
    pub(crate) fn flow(&self) -> u64 {
        upstream::ring::hash_key(self.host.as_bytes())
    }

    /// The authority that the client named, as it named it; the site's host where it named a node.
    pub(crate) fn asked_for(&self) -> &str {
        if self.sent_here { &self.host } else { authority(&self.head).unwrap_or(&self.host) }
    }

    pub(crate) fn path_and_query(&self) -> &str {
        self.head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }
}
