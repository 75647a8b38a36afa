//! What may be compressed on delivery.

use http::{HeaderMap, Method, StatusCode, header};

use crate::directives::ResponseDirectives;
use crate::lists::trim_ows;
use crate::reasons::reasons;
use crate::targeted::effective_directives;

/// What a site compresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressionRules {
    /// Media types: `text/html`, or `text/*` for all of a kind, or `*+json` for a suffix.
    pub types: Vec<String>,
    /// Bodies shorter than this are left alone.
    pub min_size: u64,
}

impl Default for CompressionRules {
    fn default() -> Self {
        let types = [
            "text/*",
            "*+json",
            "*+xml",
            "application/json",
            "application/javascript",
            "application/xml",
            "application/wasm",
            "application/vnd.ms-fontobject",
            "font/ttf",
            "font/otf",
        ];
        Self { types: types.map(str::to_owned).to_vec(), min_size: 1024 }
    }
}

reasons! {
    /// Why a response is not compressed.
    NoTransformReason {
        /// The response has no body to compress.
        NoBody => "no-body",
        /// The status is one whose body is left alone.
        Status => "status",
        /// It is encoded already.
        Encoded => "encoded",
        /// It is part of something.
        Partial => "partial",
        /// It said `no-transform`.
        NoTransform => "no-transform",
        /// Its media type is not listed.
        Type => "type",
        /// It is too short.
        Size => "size",
        /// It carries a digest that would no longer hold.
        Digest => "digest",
    }
}

/// Whether a response may and should be compressed. An unknown length counts as long enough.
//= rfc9110#7.7
//= rfc9111#5.2.2.6
pub fn compressible(
    status: StatusCode,
    method: &Method,
    headers: &HeaderMap,
    rules: &CompressionRules,
    length: Option<u64>,
) -> Result<(), NoTransformReason> {
    if *method == Method::CONNECT
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
    {
        return Err(NoTransformReason::NoBody);
    }
    if status == StatusCode::PARTIAL_CONTENT || headers.contains_key(header::CONTENT_RANGE) {
        return Err(NoTransformReason::Partial);
    }
    if status == StatusCode::SWITCHING_PROTOCOLS || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Err(NoTransformReason::Status);
    }
    let encoded =
        |value: &http::HeaderValue| !trim_ows(value.as_bytes()).eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(encoded) {
        return Err(NoTransformReason::Encoded);
    }
    let (directives, control) = effective_directives(headers);
    let beside = || control.is_targeted() && ResponseDirectives::parse(headers).no_transform;
    if directives.no_transform || beside() {
        return Err(NoTransformReason::NoTransform);
    }
    //= rfc9530#3
    let digests = ["repr-digest", "content-digest", "content-md5", "digest"];
    if digests.iter().any(|name| headers.contains_key(*name)) {
        return Err(NoTransformReason::Digest);
    }
    if !headers.get(header::CONTENT_TYPE).is_some_and(|v| listed(v.as_bytes(), &rules.types)) {
        return Err(NoTransformReason::Type);
    }
    if length.is_some_and(|length| length < rules.min_size) {
        return Err(NoTransformReason::Size);
    }
    Ok(())
}

fn listed(content_type: &[u8], patterns: &[String]) -> bool {
    let essence = content_type.split(|b| *b == b';').next().unwrap_or_default();
    let essence = trim_ows(essence).to_ascii_lowercase();
    patterns.iter().any(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        if let Some(kind) = pattern.strip_suffix('*') {
            essence.starts_with(kind.as_bytes())
        } else if let Some(suffix) = pattern.strip_prefix('*') {
            essence.ends_with(suffix.as_bytes())
        } else {
            essence == pattern.as_bytes()
        }
    })
}
