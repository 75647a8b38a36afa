//! PURGE on the clients' port: for the invalidation API where that is wanted, else refused; never for an origin.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body as Sent, to_bytes};
use axum::extract::Request;
use http::{HeaderValue, Response, StatusCode, header};
use runtime::admin::guard;
use runtime::token::Tokens;
use semantics::format_http_date;
use tower::ServiceExt;

use crate::admin::invalidation::{Desk, router};
use crate::backend::Backend;
use crate::body::Body;
use crate::deliver::Answer;
use crate::intake::Received;
use crate::outcome::Outcome;
use crate::pipeline::Pipeline;
use crate::refusal::Refusal;

/// What this port takes, as far as this node is concerned.
pub(crate) const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// Bytes of an answer: a report of some thousand nodes.
const MOST: usize = 1 << 20;

/// Lets PURGE in on the clients' port, for those who show the token.
pub struct FrontDoor(Router);

impl FrontDoor {
    /// What comes in is done as the admin API over `desk` does it.
    pub fn new(desk: Arc<dyn Desk>, token: Tokens) -> Self {
        Self(guard(router(desk, Router::new()), Some(token)))
    }

    async fn answer(&self, received: &Received) -> Option<Response<Body>> {
        let mut request = Request::new(Sent::empty());
        *request.method_mut() = received.head.method.clone();
        *request.uri_mut() = received.path_and_query().parse().ok()?;
        *request.headers_mut() = received.head.headers.clone();
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(&received.host).ok()?);
        let (head, body) = self.0.clone().oneshot(request).await.ok()?.into_parts();
        let bytes = to_bytes(body, MOST).await.ok()?;
        Some(Response::from_parts(head, Body::whole(bytes)))
    }
}

impl<B: Backend> Pipeline<B> {
    /// purge → the front door's answer, or a refusal.
    pub(crate) async fn purge(&self, received: &Received) -> Answer {
        let Some(door) = self.node.purges.get() else {
            let text = "this port purges nothing; PURGE is for the admin API";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method-refused", text);
            return self.refuse(refusal.allowing(METHODS));
        };
        let Some(mut response) = door.answer(received).await else {
            let text = "the order was taken but what became of it cannot be told; see GET /log";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return self.refuse(Refusal::new(status, "answer-lost", text));
        };
        if let Ok(date) = HeaderValue::from_str(&format_http_date(self.node.now())) {
            response.headers_mut().insert(header::DATE, date);
        }
        Answer { response, outcome: Outcome::Purge }
    }
}

impl Received {
    /// Whether this is an order to invalidate, which concerns no origin.
    pub(crate) fn is_purge(&self) -> bool {
        self.head.method.as_str() == "PURGE"
    }
}
