//! Answers that say in JSON what was wrong, in one form for the whole admin API.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Something in a request cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadField {
    /// Where: `tags[1]`, `path.glob`, a query parameter, a header field, or `body` for all of it.
    pub(super) field: String,
    /// Why, and what would do.
    pub(super) reason: String,
}

impl BadField {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl IntoResponse for BadField {
    fn into_response(self) -> Response {
        let body = json!({ "error": "bad-request", "field": self.field, "reason": self.reason });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

/// The query's parameters; those that cannot be used are refused as everything else is.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = BadField;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BadField> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(BadField::new("query", rejection.body_text())),
        }
    }
}

/// `status` with a stable token and a sentence for people.
pub(super) fn error(status: StatusCode, error: &str, reason: &str) -> Response {
    json_answer(status, json!({ "error": error, "reason": reason }))
}

/// 404: nothing here has that name.
pub(super) fn not_found(reason: &str) -> Response {
    error(StatusCode::NOT_FOUND, "not-found", reason)
}

/// `status` with `body`, which nobody may keep: what it says changes.
pub(super) fn json_answer(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
