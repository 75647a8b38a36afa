//! What the tables share: fields from pairs, and exchanges at a fixed time.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use semantics::{
    Exchange, NoStoreReason, Policy, RequestDirectives, Storable, Timestamp, format_http_date,
    storable,
};

/// The fields of a message, as pairs.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

/// When the exchanges of the tables happen.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Seconds after [`NOW`], or before.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + seconds * 1000)
}

/// An HTTP date so many seconds from [`NOW`].
pub(crate) fn date(seconds: i64) -> String {
    format_http_date(at(seconds))
}

/// A header map; a value `@-10` is the date ten seconds ago.
pub(crate) fn headers(fields: Fields<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = match value.strip_prefix('@') {
            Some(offset) => date(offset.parse().unwrap()),
            None => (*value).to_owned(),
        };
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(&value).unwrap());
    }
    headers
}

/// The policy of a site that wants what the RFCs allow.
pub(crate) fn rfc_policy() -> Policy {
    Policy {
        heuristic: Some(semantics::Heuristic::default()),
        set_cookie: semantics::SetCookie::AsRfc,
        ..Policy::default()
    }
}

/// Whether a response may be stored.
pub(crate) fn store(
    method: &Method,
    request: Fields<'_>,
    status: u16,
    response: Fields<'_>,
    policy: &Policy,
) -> Result<Storable, NoStoreReason> {
    let (request, response) = (headers(request), headers(response));
    let exchange = Exchange {
        method,
        request: &request,
        request_directives: &RequestDirectives::parse(&request),
        status: StatusCode::from_u16(status).unwrap(),
        response: &response,
        request_time: NOW,
        response_time: NOW,
    };
    storable(&exchange, policy)
}

/// The same, for a plain GET that got a 200 under the policy above.
pub(crate) fn get(response: Fields<'_>) -> Result<Storable, NoStoreReason> {
    store(&Method::GET, &[], 200, response, &rfc_policy())
}

/// For how many seconds such a response would be fresh; `None` when it is not stored.
pub(crate) fn lifetime(response: Fields<'_>) -> Option<u64> {
    let freshness = get(response).ok()?.freshness;
    Some(freshness.expires_at().since(NOW).as_secs())
}

/// Whole seconds.
pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
