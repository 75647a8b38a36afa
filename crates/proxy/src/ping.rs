//! OPTIONS that may go no further is answered here (RFC 9110 §7.6.2): how tiers ask each other whether they
//! are there.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use runtime::drain::Stage;

use crate::backend::Backend;
use crate::body::Body;
use crate::deliver::Answer;
use crate::front_door::METHODS;
use crate::outcome::Outcome;
use crate::pipeline::Pipeline;
use crate::refusal::Refusal;

const MAX_FORWARDS: HeaderName = header::MAX_FORWARDS;

/// What of a request's `Max-Forwards` concerns this node.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hops {
    /// It says nothing, or nothing that can be read: it is ignored.
    Any,
    /// This node is the last.
    NoMore,
    /// So many after this one.
    Then(u64),
}

//= rfc9110#7.6.2
pub(crate) fn hops(head: &Parts) -> Hops {
    if head.method != Method::OPTIONS {
        return Hops::Any;
    }
    let said = head.headers.get(MAX_FORWARDS).and_then(|value| value.to_str().ok());
    match said.and_then(|text| text.trim().parse::<u64>().ok()) {
        None => Hops::Any,
        Some(0) => Hops::NoMore,
        Some(hops) => Hops::Then(hops - 1),
    }
}

/// Tells the next node how many may come after it.
pub(crate) fn count_down(head: &mut Parts) {
    if let Hops::Then(left) = hops(head) {
        head.headers.insert(MAX_FORWARDS, left.into());
    }
}

impl<B: Backend> Pipeline<B> {
    /// What this node says of itself: that it is there, or that it is on its way out.
    pub(crate) fn pong(&self) -> Answer {
        if self.node.drain.stage() != Stage::Running {
            let text = "this node is on its way out";
            let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", text);
            return self.refuse(refusal.closing());
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
        Answer { response, outcome: Outcome::Ping }
    }
}
