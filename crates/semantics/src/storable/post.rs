//! The one answer to a POST that may serve later GETs (RFC 9110 §9.3.3).

use http::{Method, Uri, header};

use super::{Exchange, Storable, storable};
use crate::policy::Policy;
use crate::reasons::NoStoreReason;
use crate::target::resolve_same_origin;

/// Whether the response to a POST may be stored for GETs of its target: it must state its own
/// lifetime and name the target in `Content-Location`. `scheme` and `authority` are the target's;
/// `path_and_query` is as requested.
//= rfc9110#9.3.3
pub fn post_storable_as_get(
    x: &Exchange<'_>,
    scheme: &str,
    authority: &str,
    path_and_query: &str,
    policy: &Policy,
) -> Result<Storable, NoStoreReason> {
    use crate::freshness::LifetimeSource::{Expires, MaxAge, SMaxage, Targeted};
    if *x.method != Method::POST || !x.status.is_success() {
        return Err(NoStoreReason::Method);
    }
    let named = x
        .response
        .get(header::CONTENT_LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|location| resolve_same_origin(scheme, authority, path_and_query, location));
    let target = Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(path_and_query)
        .build()
        .ok()
        .and_then(|uri| resolve_same_origin(scheme, authority, path_and_query, &uri.to_string()));
    if named.is_none() || named != target {
        return Err(NoStoreReason::Method);
    }
    let stored = storable(&Exchange { method: &Method::GET, ..*x }, policy)?;
    match stored.freshness.source() {
        Targeted | SMaxage | MaxAge | Expires => Ok(stored),
        _ => Err(NoStoreReason::NoLifetime),
    }
}
