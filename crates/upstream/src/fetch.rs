//! One request to whoever upstream lets it through.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Response, StatusCode};
use tokio::time::{Instant, sleep};

use crate::body::{Body, Outgoing, RequestBody, later};
use crate::clients::Clients;
use crate::error::FetchError;
use crate::policy::Policy;
use crate::target::{Pass, Target};

use send::{Failure, Limits};

mod send;

/// A response, and who gave it.
#[derive(Debug)]
pub struct Answer {
    /// Its head; its body is still on the way.
    pub response: Response<Body>,
    /// Who answered.
    pub target: Arc<Target>,
}

/// Sends a request to the first of `order` that lets it through, and to the next ones, or again, as
/// `policy` allows. `flow` names whose turn it takes where there is a queue: a site, or a host of one.
///
/// `head` carries method, path, query and all fields with the `Host` that the site is known by. What may
/// have been sent is sent again only if it is safe and has no body (RFC 9110 §9.2.2). A target that holds
/// the request back, by its breaker or its queue, is passed over at no cost.
///
/// # Errors
/// When nobody let it through, or nobody answered in time.
pub async fn fetch(
    clients: &Clients,
    policy: &Policy,
    flow: u64,
    order: &[Arc<Target>],
    head: Parts,
    body: RequestBody,
) -> Result<Answer, FetchError> {
    let body = Outgoing::new(body);
    let exchange = Exchange {
        repeatable: head.method.is_safe() && body.is_empty(),
        clients,
        policy,
        flow,
        order,
        head,
        body,
        deadline: later(Instant::now(), policy.total),
        sending: policy.first_byte,
        tries: 0,
    };
    exchange.run().await
}

/// One request over its tries.
struct Exchange<'a> {
    clients: &'a Clients,
    policy: &'a Policy,
    flow: u64,
    order: &'a [Arc<Target>],
    head: Parts,
    body: Outgoing,
    /// Whether it may be sent again although it was sent.
    repeatable: bool,
    /// When all of it must be over.
    deadline: Instant,
    /// What is left of the time for the first byte.
    sending: Duration,
    tries: u32,
}

impl Exchange<'_> {
    async fn run(mut self) -> Result<Answer, FetchError> {
        let mut refusal = None;
        let mut failure = None;
        // Places in the order, going round; and how many in a row held the request back.
        let (mut place, mut refused) = (0, 0);
        while refused < self.order.len() {
            let target = &self.order[place % self.order.len()];
            if place >= self.order.len() && !self.pause(place).await {
                break;
            }
            match target.enter(self.flow, self.left()).await {
                Ok(pass) => {
                    refused = 0;
                    match self.send(pass).await {
                        Ok(answer) => return Ok(self.or_elsewhere(place, answer).await),
                        Err(failed) => {
                            let again = !failed.nonsense && self.may_try_again(&failed.error);
                            failure = Some(failed.error);
                            if !again {
                                break;
                            }
                        }
                    }
                }
                Err(_) if self.left().is_zero() => return Err(FetchError::TotalTimeout),
                Err(error) => {
                    refused += 1;
                    refusal.get_or_insert(error);
                }
            }
            place += 1;
        }
        Err(failure.or(refusal).unwrap_or_else(|| FetchError::Connect {
            origin: "none".into(),
            cause: "there is no origin".into(),
        }))
    }

    /// What is left of the time for all of it.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    //= rfc9110#9.2.2
    /// Whether `error` leaves room for another try, which is then paid for.
    fn may_try_again(&self, error: &FetchError) -> bool {
        let harmless = match error {
            FetchError::Connect { .. } | FetchError::ConnectTimeout { .. } => true,
            FetchError::Exchange { .. } | FetchError::FirstByteTimeout { .. } => self.repeatable,
            _ => false,
        };
        if !harmless || !self.body.is_left() || !self.has_tries() {
            return false;
        }
        // What did not arrive adds nothing to what others have to bear, so each of them may be tried once:
        // where many requests are under way as a server goes, its neighbour gets them all.
        let free = error.nothing_was_sent() && (self.tries as usize) < self.order.len();
        free || self.policy.take_retry()
    }

    /// Whether tries, time and budget are left for another one. Takes it from the budget.
    fn may_try(&self) -> bool {
        self.has_tries() && self.policy.take_retry()
    }

    fn has_tries(&self) -> bool {
        self.tries < self.policy.attempts && !self.sending.min(self.left()).is_zero()
    }

    /// Waits before a target is tried once more. False if there is no time for that.
    async fn pause(&mut self, place: usize) -> bool {
        // As many rounds as there were make the pause longer, not as many tries: each target counts.
        let round = place / self.order.len() - 1;
        let pause = self.policy.pause(u32::try_from(round).unwrap_or(u32::MAX));
        if pause >= self.sending.min(self.left()) {
            return false;
        }
        sleep(pause).await;
        self.sending = self.sending.saturating_sub(pause);
        true
    }

    /// A server that says that it cannot answer now may not be the only one: the next one that is well and
    /// lets the request through at once is asked too, and what it says is the answer, if it says anything.
    async fn or_elsewhere(&mut self, place: usize, answer: Answer) -> Answer {
        let unwell = matches!(
            answer.response.status(),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        // What a tier says is the word of the origin behind all of them.
        if !unwell || !self.repeatable || answer.target.is_tier() {
            return answer;
        }
        let others = self.order.iter().skip(place.saturating_add(1));
        let Some(other) = others.into_iter().find(|target| target.is_usable()) else {
            return answer;
        };
        if !self.may_try() {
            return answer;
        }
        // Nobody waits here, since this request still has its place at the first one.
        let Some(pass) = other.enter_now() else { return answer };
        self.send(pass).await.unwrap_or(answer)
    }

    async fn send(&mut self, mut pass: Pass) -> Result<Answer, Failure> {
        // There was one for the first try, and there is no further one without.
        let Some(first) = self.body.for_a_try() else {
            return Err(FetchError::RequestBroken.into());
        };
        let mut head = self.head.clone();
        // No fault of the target, so its pass is dropped without a word.
        let endpoint = &pass.target().settings().endpoint;
        endpoint.address(&mut head).map_err(|cause| FetchError::Exchange {
            origin: pass.target().name().to_owned(),
            cause,
        })?;
        if self.tries == 0 {
            self.policy.on_request();
        }
        self.tries += 1;
        pass.sending();
        let begun = Instant::now();
        let left = self.left();
        let limits = Limits {
            first_byte: self.sending,
            between_bytes: self.policy.between_bytes,
            left,
            body: &self.body,
        };
        let (target, repeatable) = (pass.target(), self.repeatable);
        let again = || self.body.for_a_try();
        let sent = send::within(limits, self.clients, target, (head, first), repeatable, again);
        let result = sent.await;
        self.sending = self.sending.saturating_sub(begun.elapsed());
        match result {
            Ok(response) => {
                let target = pass.target().clone();
                let under_way = pass.answered(response.status());
                let (between_bytes, deadline) = (self.policy.between_bytes, self.deadline);
                let response =
                    response.map(|body| Body::new(body, between_bytes, deadline, under_way));
                Ok(Answer { response, target })
            }
            Err(mut failed) => {
                pass.failed(&failed.error);
                let out_of_time = matches!(failed.error, FetchError::FirstByteTimeout { .. });
                if out_of_time && self.left().is_zero() {
                    failed.error = FetchError::TotalTimeout;
                }
                Err(failed)
            }
        }
    }
}
