//! An API whose answers are written down beforehand, and the program run against it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the program asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// `POST /purge`
    pub(crate) what: String,
    pub(crate) prefer: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

#[derive(Clone, Default)]
struct Shared {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
}

/// The API; the last answer is given again and again.
pub(crate) struct Script {
    pub(crate) url: String,
    shared: Shared,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Script {
    pub(crate) async fn new(answers: &[(u16, Value)]) -> Self {
        Self::raw(answers.iter().map(|(status, body)| (*status, body.to_string())).collect()).await
    }

    pub(crate) async fn raw(answers: VecDeque<(u16, String)>) -> Self {
        let shared = Shared { answers: Arc::new(Mutex::new(answers)), ..Shared::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    /// Runs `blue-origin` with these arguments, nobody at the terminal.
    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        run(&self.url, args, None, Some("secret")).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

/// Runs the program; `typed` is what somebody at the terminal answers.
pub(crate) async fn run(
    api: &str,
    args: &[&str],
    typed: Option<&str>,
    token: Option<&str>,
) -> Ended {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = cli::Io {
        out: &mut out,
        err: &mut err,
        input: &mut Cursor::new(typed.unwrap_or_default().to_owned()),
        can_ask: typed.is_some(),
        can_rewrite: false,
        token: token.map(str::to_owned),
    };
    let args: Vec<_> =
        ["blue-origin", "--api", api].iter().chain(args).map(OsString::from).collect();
    let code = cli::run(args, &mut io).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code, out: text(out), err: text(err) }
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let field = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    shared.asked.lock().unwrap().push(Asked {
        what: format!("{method} {uri}"),
        prefer: field("prefer"),
        authorization: field("authorization"),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let mut answers = shared.answers.lock().unwrap();
    let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
    let (status, body) = next.unwrap();
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// A report of order `p-1` about nodes `a`, `b`, … in these states.
pub(crate) fn report(phase: &str, matched: u64, states: &[&str]) -> Value {
    let nodes = states.iter().zip(["a", "b", "c", "d"]);
    let nodes: Vec<_> = nodes.map(|(state, name)| json!({"name": name, "state": state})).collect();
    json!({
        "id": "p-1", "phase": phase, "position": {"epoch": "e", "seq": "7-0"}, "replicated": true,
        "matched": matched, "counting": false, "tookMs": 41, "nodes": nodes,
    })
}
