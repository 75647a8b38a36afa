//! The method PURGE: of the URL that it is sent to, or of a tag.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use semantics::normalize_target;
use wire::invalidation::{How, Target, Url};

use super::desk::Desk;
use super::refused::Refused;
use super::{draft, names, outcome, prefer};
use crate::admin::answer::BadField;

/// `PURGE /purge/tag/{tag}` is about a tag; every other path about the URL itself.
const TAG: &str = "/purge/tag/";
const SOFT: [HeaderName; 2] =
    [HeaderName::from_static("soft-purge"), HeaderName::from_static("fastly-soft-purge")];

pub(super) async fn answer(desk: &dyn Desk, request: Request) -> Result<Response, Refused> {
    let (target, how) = (target(desk, &request)?, how(request.headers())?);
    let order = draft(desk)?.order(target, how, false);
    let wait = prefer::wait(request.headers());
    // No reference to the request, whose body cannot be shared between threads, is kept over the wait.
    drop(request);
    Ok(outcome(&desk.send(order, wait).await?))
}

fn target(desk: &dyn Desk, request: &Request) -> Result<Target, BadField> {
    let uri = request.uri();
    if let Some(escaped) = uri.path().strip_prefix(TAG) {
        if uri.query().is_some() {
            return Err(BadField::new("tag", "is followed by a query; write `?` in a tag as %3F"));
        }
        let text = unescape(escaped)
            .ok_or_else(|| BadField::new("tag", "is not percent-encoded UTF-8"))?;
        return Ok(Target::Tags(vec![names::tag(text, "tag")?]));
    }
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if !path.starts_with('/') {
        return Err(BadField::new("path", "must begin with /"));
    }
    let host = names::host(named(request)?, "http", "Host", desk)?;
    Ok(Target::Urls(vec![Url { host, path: normalize_target(path) }]))
}

/// The host that a request is for: an absolute target comes before the field.
fn named(request: &Request) -> Result<&str, BadField> {
    if let Some(authority) = request.uri().authority() {
        return Ok(authority.as_str());
    }
    let mut fields = request.headers().get_all(header::HOST).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(BadField::new("Host", "must be there once; it names the site"));
    };
    field.to_str().map_err(|_| BadField::new("Host", "is not a host name"))
}

fn how(headers: &HeaderMap) -> Result<How, BadField> {
    let mut how = How::Hard;
    for name in SOFT {
        for value in headers.get_all(&name) {
            match value.as_bytes() {
                b"1" => how = How::Soft,
                b"0" => {}
                _ => return Err(BadField::new(name.as_str(), "must be 1 or 0")),
            }
        }
    }
    Ok(how)
}

/// `text` with its percent-escapes undone, if every one is whole and the result is UTF-8.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        bytes.push(digit(digits[0])? << 4 | digit(digits[1])?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
