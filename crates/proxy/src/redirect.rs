//! `redirect`: a client that asks for what another edge of the place owns is sent there (R2).

use http::{HeaderValue, Response, StatusCode, header};
use semantics::format_http_date;
use wire::fleet::HOST;
use wire::snapshot::PeeringMode;

use crate::backend::Backend;
use crate::body::Body;
use crate::config::{Config, Node};
use crate::deliver::Answer;
use crate::deliver::marks::mark;
use crate::intake::Received;
use crate::outcome::Outcome;
use crate::pipeline::Pipeline;
use crate::rings::Bounds;

impl Node {
    /// The site's host that `host`, in normal form, stands for, where it is this node's own name among
    /// clients; none where the client means whoever is nearest.
    pub(crate) fn known_as(&self, config: &Config, host: &str, scheme: &str) -> Option<String> {
        if config.snapshot().peering.mode != PeeringMode::Redirect {
            return None;
        }
        let ring = self.own_ring()?;
        let place = ring.members.iter().position(|member| member.here)?;
        let public = ring.hash.members()[place].public.as_deref()?;
        let first = || config.snapshot().sites.first()?.hosts.first().cloned();
        match behind(public, host, scheme)? {
            "" => first(),
            inner => Some(inner.to_owned()),
        }
    }
}

/// What `{host}` in `public` stands for, if `host` is one of its kind; nothing where there is none in it.
fn behind<'a>(public: &str, host: &'a str, scheme: &str) -> Option<&'a str> {
    let public = public.to_ascii_lowercase();
    let usual = if scheme == "https" { ":443" } else { ":80" };
    // In its normal form a host has no port that is the scheme's own.
    let public = public.strip_suffix(usual).unwrap_or(&public);
    match public.split_once(HOST) {
        None => (public == host).then_some(""),
        Some((before, after)) => {
            let inner = host.strip_prefix(before)?.strip_suffix(after)?;
            (!inner.is_empty() && !inner.contains(':')).then_some(inner)
        }
    }
}

impl<B: Backend> Pipeline<B> {
    /// Where clients reach the edge of this place that owns the request's key, if that is another one and they do.
    pub(crate) fn owner_elsewhere(&self, received: &Received) -> Option<String> {
        let config = self.node.config_guard();
        let peering = &config.snapshot().peering;
        let stays =
            received.sent_here || received.below.is_some() || received.directives.only_if_cached;
        if peering.mode != PeeringMode::Redirect || stays {
            return None;
        }
        let ring = self.node.own_ring()?;
        let now = self.node.clock.monotonic();
        let pick = ring.pick(self.key_hash(received), Bounds::of(peering), now, &[])?;
        if ring.members[pick.member].here {
            return None;
        }
        let public = ring.hash.members()[pick.member].public.as_deref()?;
        Some(public.replacen(HOST, &received.host, 1))
    }

    /// 302 to `owner`. Not to be stored: who owns what changes.
    //= rfc9110#15.4.3
    pub(crate) fn redirect(&self, received: &Received, owner: &str) -> Answer {
        let location = format!("{}://{owner}{}", received.scheme, received.path_and_query());
        let Ok(location) = HeaderValue::from_str(&location) else {
            let text = "the owner of this URL has a name that cannot be said";
            let refusal = crate::refusal::Refusal::new(StatusCode::BAD_GATEWAY, "bad-owner", text);
            return self.refuse(refusal);
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::FOUND;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, location);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        if let Ok(date) = HeaderValue::from_str(&format_http_date(self.node.now())) {
            headers.insert(header::DATE, date);
        }
        Outcome::Redirect.cache_status(&self.node.name, None, None).append_to(headers);
        mark(headers, &self.node, received, Outcome::Redirect, None);
        Answer { response, outcome: Outcome::Redirect }
    }
}

#[cfg(test)]
mod tests;
