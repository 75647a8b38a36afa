//! An API server for tests: it answers as it is told, and remembers what it was asked.

use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// `PATCH`, …
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

/// What was asked so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Asked>>>);

impl Log {
    /// What was asked since this was asked last.
    pub(crate) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock())
    }

    /// The first that fits; it and those before it are forgotten.
    pub(crate) fn find(&self, fits: impl Fn(&Asked) -> bool) -> Option<Asked> {
        let mut log = self.0.lock();
        let at = log.iter().position(fits)?;
        log.drain(..=at).next_back()
    }

    /// `METHOD path` of it.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.take().into_iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

/// What an API server says to `status` when it refuses.
pub(crate) fn refusal(code: u16, message: &str) -> (u16, Value) {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        _ => "Other",
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
        "reason": reason, "code": code,
    });
    (code, status)
}

/// Whatever is written is so, as version 7.
pub(crate) fn agree(asked: &Asked) -> (u16, Value) {
    let mut body = asked.body.clone();
    if body["metadata"].is_null() {
        body = json!({ "apiVersion": "v1", "kind": "Status", "status": "Success", "metadata": {} });
    }
    body["metadata"]["resourceVersion"] = json!("7");
    (200, body)
}

/// A client of an API server that answers with `answer`.
pub(crate) fn server(answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static) -> (Client, Log) {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let log = Log::default();
    let asked_so_far = log.clone();
    tokio::spawn(async move {
        while let Some((request, respond)) = handle.next_request().await {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let asked = Asked {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                body: serde_json::from_slice(&bytes).unwrap_or_default(),
            };
            let (code, body) = answer(&asked);
            asked_so_far.0.lock().push(asked);
            let body = Body::from(serde_json::to_vec(&body).unwrap());
            respond.send_response(Response::builder().status(code).body(body).unwrap());
        }
    });
    (Client::new(service, "default"), log)
}
