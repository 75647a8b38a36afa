//! The router over a desk that writes down what reaches it.

use std::sync::Mutex;
use std::time::Duration;

use axum::body::to_bytes;
use wire::invalidation::{Ban, Heartbeat, NodeReport, NodeState, OnLogLoss, Pattern};
use wire::{Invalidation, LogPosition, Seq};

use super::*;

mod any_body;
mod bans;
mod log;
mod method;
mod purges;

const NOW: i64 = 1_800_000_000_000;

/// Serves `cdn.example.com`, by loopback names too, and answers as it is told.
pub(super) struct Script {
    pub(super) sent: Mutex<Vec<(Invalidation, Duration)>>,
    answer: Mutex<Result<Phase, DeskError>>,
}

impl Script {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { sent: Mutex::default(), answer: Mutex::new(Ok(Phase::Complete)) })
    }

    fn answers(&self, answer: Result<Phase, DeskError>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn sent(&self) -> Vec<Invalidation> {
        self.sent.lock().unwrap().iter().map(|(order, _)| order.clone()).collect()
    }

    /// The only order so far.
    fn only(&self) -> Invalidation {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:#?}");
        sent[0].clone()
    }

    fn waits(&self) -> Vec<u64> {
        self.sent.lock().unwrap().iter().map(|(_, wait)| wait.as_secs()).collect()
    }
}

fn report(id: &str, phase: Phase) -> PurgeReport {
    let node = NodeReport {
        name: "fra-0".to_owned(),
        state: NodeState::Done,
        matched: Some(3),
        error: None,
    };
    PurgeReport {
        id: id.to_owned(),
        phase,
        position: Some(LogPosition { epoch: "e1".to_owned(), seq: Seq { ms: 7, n: 1 } }),
        replicated: true,
        matched: 3,
        counting: false,
        took_ms: 12,
        nodes: vec![node],
    }
}

impl Desk for Script {
    fn site_host(&self, host: &str) -> Option<String> {
        let served = ["cdn.example.com", "127.0.0.1", "[::1]"].contains(&host);
        served.then(|| "cdn.example.com".to_owned())
    }

    fn now_ms(&self) -> i64 {
        NOW
    }

    fn send(
        &self,
        order: Invalidation,
        wait: Duration,
    ) -> Later<'_, Result<PurgeReport, DeskError>> {
        let id = order.id.clone();
        self.sent.lock().unwrap().push((order, wait));
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move { answer.map(|phase| report(&id, phase)) })
    }

    fn report<'a>(&'a self, id: &'a str, wait: Duration) -> Later<'a, Option<PurgeReport>> {
        let phase = if wait.is_zero() { Phase::Applying } else { Phase::Complete };
        Box::pin(async move { (id == "known").then(|| report(id, phase)) })
    }

    fn bans(&self) -> Vec<BanStatus> {
        let ban = Ban {
            id: "b1".to_owned(),
            host: None,
            path: Some(Pattern::Glob("/a/*".to_owned())),
            headers: Vec::new(),
            ttl_ms: 60_000,
        };
        vec![BanStatus {
            ban,
            how: How::Soft,
            seq: Seq { ms: 7, n: 1 },
            matched: 9,
            exhausted: false,
            age: Duration::from_secs(20),
            left: Duration::from_secs(40),
        }]
    }

    fn log(&self) -> Later<'_, LogStatus> {
        let position = LogPosition { epoch: "e1".to_owned(), seq: Seq { ms: 7, n: 1 } };
        let beat = Heartbeat {
            node: "fra-0".to_owned(),
            role: "edge".to_owned(),
            pool: "web".to_owned(),
            applied: Some(position.clone()),
            on_log_loss: OnLogLoss::Revalidate,
            lease_ms: 10_000,
            ..Heartbeat::default()
        };
        let log = LogStatus {
            connected: true,
            end: Some(position),
            queued: 2,
            nodes: vec![NodeStatus { beat, silent: Duration::from_millis(1500) }],
            orders: (0..150).map(|i| report(&i.to_string(), Phase::Complete)).collect(),
        };
        Box::pin(async move { log })
    }

    fn forget<'a>(&'a self, node: &'a str) -> Later<'a, Result<bool, DeskError>> {
        Box::pin(async move {
            match node {
                "away" => Err(DeskError::Away("connection refused".to_owned())),
                _ => Ok(node == "fra-0"),
            }
        })
    }
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A 400 that names `field` and says `reason` somewhere.
    #[track_caller]
    fn refuses(&self, field: &str, reason: &str) {
        assert_eq!((self.status, &self.body["error"]), (400, &json!("bad-request")), "{self}");
        assert_eq!(self.body["field"], field, "{self}");
        assert!(self.body["reason"].as_str().unwrap().contains(reason), "{reason:?}: {self}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:#}", self.status, self.body)
    }
}

async fn ask(
    desk: &Arc<Script>,
    request: axum::http::request::Builder,
    body: impl Into<Body>,
) -> Answer {
    let beside = Router::new().route("/debug/config", get(|| async { "{}" }));
    let router = router(desk.clone(), beside);
    let response = router.oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| {
        panic!("{} is no JSON: {}", head.status, body.escape_ascii());
    });
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

async fn post(desk: &Arc<Script>, path: &str, body: &Value) -> Answer {
    ask(desk, Request::post(path), body.to_string()).await
}

#[tokio::test]
async fn what_is_not_there_is_404_and_other_methods_are_405_with_allow() {
    let desk = Script::new();
    for path in ["/", "/purges", "/purge/a/b", "/ban/", "/log/nodes"] {
        let answer = ask(&desk, Request::get(path), "").await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not-found")), "{path}");
    }
    for (method, path, allow) in [
        ("GET", "/purge", "POST"),
        ("POST", "/purge/known", "GET,HEAD"),
        ("DELETE", "/ban", "POST,GET,HEAD"),
        ("GET", "/ban/b1", "DELETE"),
        ("POST", "/log", "GET,HEAD"),
        ("GET", "/log/nodes/fra-0", "DELETE"),
        ("BREW", "/log", "GET,HEAD"),
        ("POST", "/debug/config", "GET,HEAD"),
    ] {
        let answer = ask(&desk, Request::builder().method(method).uri(path), "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.body["error"], "method-not-allowed", "{method} {path}");
        let mut listed: Vec<_> = answer.field("allow").split(',').map(str::trim).collect();
        let mut expected: Vec<_> = allow.split(',').collect();
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{method} {path}");
    }
    assert_eq!(ask(&desk, Request::get("/debug/config"), "").await.status, 200);
    assert!(desk.sent().is_empty());
}
