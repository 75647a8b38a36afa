//! Why a request to the invalidation API is not done, as its answer.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::desk::DeskError;
use crate::admin::answer::{BadField, error};

/// Why nothing was done.
#[derive(Debug)]
pub(super) enum Refused {
    /// A field is wrong.
    Field(BadField),
    /// The body has more bytes than this.
    TooLarge(usize),
    /// The desk does not take it.
    Desk(DeskError),
    /// There is no randomness for an id.
    NoId(std::io::Error),
}

impl From<BadField> for Refused {
    fn from(field: BadField) -> Self {
        Self::Field(field)
    }
}

impl From<DeskError> for Refused {
    fn from(why: DeskError) -> Self {
        Self::Desk(why)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Field(field) => field.into_response(),
            Self::TooLarge(most) => {
                let reason = format!("the body may have {most} bytes; send several requests");
                error(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", &reason)
            }
            Self::Desk(why) => desk_refuses(&why),
            Self::NoId(failed) => {
                tracing::error!(error = %failed, "no randomness for the id of an order");
                let reason = "no id can be made; send one with the order";
                error(StatusCode::INTERNAL_SERVER_ERROR, "no-randomness", reason)
            }
        }
    }
}

fn desk_refuses(why: &DeskError) -> Response {
    let (status, token) = match why {
        DeskError::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "queue-full"),
        DeskError::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "log-away"),
        DeskError::Refused(_) => (StatusCode::BAD_GATEWAY, "log-refused"),
        DeskError::IdTaken => (StatusCode::CONFLICT, "id-taken"),
    };
    let mut response = error(status, token, &why.to_string());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
