//! May a response be stored, and as what (RFC 9111 §3, with the stricter rules a site chooses).

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use smallvec::SmallVec;

use crate::conditional::has_validator;
use crate::directives::{RequestDirectives, ResponseDirectives};
use crate::fields::{connection_fields, is_rewritten};
use crate::freshness::{Freshness, LifetimeSource};
use crate::policy::{Policy, SetCookie};
use crate::reasons::NoStoreReason;
use crate::targeted::{ControlSource, effective_directives};
use crate::time::Timestamp;
use crate::vary::{Vary, VaryField, parse_vary};

mod lifetime;
mod post;
mod status;

pub use post::post_storable_as_get;
pub use status::heuristically_cacheable;

/// A request, its response, and when they went out and came in by the local clock.
#[derive(Copy, Clone, Debug)]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's fields.
    pub request: &'a HeaderMap,
    /// What those say about caching.
    pub request_directives: &'a RequestDirectives,
    /// The response's status.
    pub status: StatusCode,
    /// The response's fields.
    pub response: &'a HeaderMap,
    /// When the request was sent.
    pub request_time: Timestamp,
    /// When the head of the response arrived.
    pub response_time: Timestamp,
}

/// Leave to store a response, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storable {
    /// How long it may be used.
    pub freshness: Freshness,
    /// The request fields it depends on.
    pub vary: Option<Vary>,
    /// Fields that must not be in the stored form: those of the connection, those a qualified
    /// `no-cache` or `private` names, and cookies where the site strips them.
    pub strip: SmallVec<[HeaderName; 4]>,
}

/// Decides whether the response of `x` may be stored. For a 304 pass the freshened stored response
/// instead (see [`freshen_headers`](crate::freshen_headers)) with the status it was stored under.
pub fn storable(x: &Exchange<'_>, policy: &Policy) -> Result<Storable, NoStoreReason> {
    if *x.method != Method::GET && *x.method != Method::HEAD {
        return Err(NoStoreReason::Method);
    }
    let (directives, control) = effective_directives(x.response);
    permitted(x, &directives)?;
    let vary = match parse_vary(x.response) {
        VaryField::None => None,
        // Of what each hop writes anew, what the client sent says nothing.
        VaryField::Fields(vary) if vary.names().iter().any(is_rewritten) => {
            return Err(NoStoreReason::VaryStar);
        }
        VaryField::Fields(vary) => Some(vary),
        VaryField::Star => return Err(NoStoreReason::VaryStar),
    };
    let strip = stripped_fields(x, &directives, control, policy)?;
    let freshness = lifetime::freshness(x, &directives, control, policy)?;
    useful(x, &directives, &freshness)?;
    Ok(Storable { freshness, vary, strip })
}

/// The prohibitions.
//= rfc9111#3
fn permitted(x: &Exchange<'_>, directives: &ResponseDirectives) -> Result<(), NoStoreReason> {
    // A 304 is no response of its own, and what is not final is not the response yet.
    if x.status.is_informational() || x.status == StatusCode::NOT_MODIFIED {
        return Err(NoStoreReason::Status);
    }
    //= rfc9111#5.2.1
    if x.request_directives.no_store {
        return Err(NoStoreReason::RequestNoStore);
    }
    //= rfc9111#5.2.2.3
    if directives.must_understand {
        if !status::understood(x.status) {
            return Err(NoStoreReason::MustUnderstand);
        }
    } else if directives.no_store {
        //= rfc9111#5.2.2.5
        return Err(NoStoreReason::ResponseNoStore);
    }
    if directives.private.is_whole() {
        return Err(NoStoreReason::Private);
    }
    //= rfc9111#3.5
    if x.request.contains_key(header::AUTHORIZATION) && !for_shared_caches(directives) {
        return Err(NoStoreReason::Authorization);
    }
    //= rfc9111#3.3
    if x.status == StatusCode::PARTIAL_CONTENT {
        return Err(NoStoreReason::PartialContent);
    }
    Ok(())
}

fn for_shared_caches(directives: &ResponseDirectives) -> bool {
    directives.public || directives.must_revalidate || directives.s_maxage.is_present()
}

fn stripped_fields(
    x: &Exchange<'_>,
    directives: &ResponseDirectives,
    control: ControlSource,
    policy: &Policy,
) -> Result<SmallVec<[HeaderName; 4]>, NoStoreReason> {
    //= rfc9111#3.1
    let mut strip = connection_fields(x.response);
    //= rfc9111#5.2.2.4
    //= rfc9111#5.2.2.7
    strip.extend(directives.no_cache.fields().iter().cloned());
    strip.extend(directives.private.fields().iter().cloned());
    //= rfc9111#7.3
    if x.response.contains_key(header::SET_COOKIE) && !strip.contains(&header::SET_COOKIE) {
        let permitted =
            directives.public || directives.s_maxage.is_present() || control.is_targeted();
        match policy.set_cookie {
            SetCookie::AsRfc => {}
            SetCookie::Strip => strip.push(header::SET_COOKIE),
            SetCookie::RequirePermission if permitted => {}
            SetCookie::RequirePermission => return Err(NoStoreReason::SetCookie),
        }
    }
    Ok(strip)
}

/// A response that can be neither used nor validated, nor stand in for an error by its own word, is
/// not worth its room.
fn useful(
    x: &Exchange<'_>,
    directives: &ResponseDirectives,
    freshness: &Freshness,
) -> Result<(), NoStoreReason> {
    let fallback = directives.stale_if_error.seconds().is_some_and(|secs| secs > 0)
        && freshness.source() != LifetimeSource::None;
    if !freshness.always_revalidate() || has_validator(x.response) || fallback {
        return Ok(());
    }
    Err(NoStoreReason::NoLifetime)
}
