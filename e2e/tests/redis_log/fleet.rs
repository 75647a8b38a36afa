//! Three edge programs, as an operator starts them, on one log and in front of one origin.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use e2e::client::{Answer, Request, ask};
use e2e::origin::Origin;
use e2e::program::Program;
use e2e::world::{Setup, TOKEN};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use wire::Seq;
use wire::invalidation::LogPosition;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(40);

/// The files that edges are started with.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn new(setup: &Setup) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = &setup.pools().unwrap()[0].snapshot;
        std::fs::write(folder.path().join("snapshot.json"), json!(snapshot).to_string()).unwrap();
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        Arc::new(Self { folder })
    }

    fn path(&self, name: &str) -> String {
        Path::display(&self.folder.path().join(name)).to_string()
    }
}

/// A running edge.
pub(crate) struct Edge {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    pub(crate) program: Program,
    /// Watched as long as it runs.
    _files: Arc<Files>,
}

impl Edge {
    /// An edge of this machine.
    pub(crate) async fn start(files: &Arc<Files>, name: &str, log: &str) -> Self {
        Self::start_with(files, name, log, "127.0.0.1:0", |all| Program::start("edge", all)).await
    }

    /// An edge at `address`, started by `start`.
    pub(crate) async fn start_with(
        files: &Arc<Files>,
        name: &str,
        log: &str,
        address: &str,
        start: impl FnOnce(&[&str]) -> std::io::Result<Program>,
    ) -> Self {
        let (config, token) = (files.path("snapshot.json"), files.path("token"));
        let mut program = start(&[
            "--config",
            &config,
            "--admin-token-file",
            &token,
            "--log",
            log,
            "--name",
            name,
            "--listen",
            address,
            "--admin",
            address,
            "--threads",
            "1",
            "--drain-notice",
            "0",
        ])
        .unwrap();
        let line = program.line("\"serving\"").await.unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let at = |name: &str| line[name].as_str().unwrap().parse().unwrap();
        let (address, admin) = (at("listen"), at("admin"));
        let edge = Self { name: name.to_owned(), address, admin, program, _files: files.clone() };
        eventually(&format!("{name} is ready"), async || {
            edge.open("/readyz").await.is_some_and(|answer| answer.status == 200)
        })
        .await;
        edge
    }

    /// A request to what of the admin port is open.
    async fn open(&self, path: &str) -> Option<Answer> {
        ask(self.admin, Request::get(path).field("host", "admin")).await.ok()
    }

    /// A request to the admin API.
    pub(crate) async fn admin(&self, request: Request) -> (u16, Value) {
        self.desk().ask(request).await
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk(self.admin)
    }

    /// What it answers to a client.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.address, path).await.unwrap()
    }

    /// The sum of the metrics whose line begins so.
    pub(crate) async fn metric(&self, begins: &str) -> f64 {
        let text = self.open("/metrics").await.unwrap().text();
        let lines = text.lines().filter(|line| line.starts_with(begins));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Whether the log is there, as it says itself.
    pub(crate) async fn connected(&self) -> bool {
        self.admin(Request::get("/log")).await.1["connected"] == json!(true)
    }

    /// Up to where it has applied the log.
    pub(crate) async fn applied(&self) -> Seq {
        let stats = self.admin(Request::get("/debug/stats")).await.1;
        let applied = stats["invalidation"]["applied"].as_str().unwrap();
        applied.parse::<LogPosition>().unwrap().seq
    }

    /// The members of the log, as it knows them.
    pub(crate) async fn members(&self) -> Vec<String> {
        let log = self.admin(Request::get("/log")).await.1;
        let nodes = log["nodes"].as_array().cloned().unwrap_or_default();
        nodes.iter().filter_map(|node| Some(node["name"].as_str()?.to_owned())).collect()
    }
}

/// Where orders are given.
#[derive(Copy, Clone)]
pub(crate) struct Desk(SocketAddr);

impl Desk {
    pub(crate) async fn ask(self, request: Request) -> (u16, Value) {
        let request = request.field("host", e2e::client::HOST);
        let request = request.field("authorization", &format!("Bearer {TOKEN}"));
        let answer = ask(self.0, request).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }
}

/// Edges, which say what they wrote when a test fails.
pub(crate) struct Fleet(pub(crate) Vec<Edge>);

impl Fleet {
    /// An edge for each of `logs`, called n1, n2 and so on; every one knows of all.
    pub(crate) async fn start(origin: &Origin, spec: Value, logs: &[String]) -> Self {
        let files = Files::new(&Setup::new(origin).spec(spec));
        let mut edges = Vec::new();
        for (n, log) in logs.iter().enumerate() {
            edges.push(Edge::start(&files, &format!("n{}", n + 1), log).await);
        }
        let fleet = Self(edges);
        fleet.meet().await;
        fleet
    }

    /// Waits until every edge knows of every one.
    pub(crate) async fn meet(&self) {
        for edge in &self.0 {
            eventually(&format!("{} knows all", edge.name), async || {
                edge.members().await.len() == self.0.len()
            })
            .await;
        }
    }

    pub(crate) fn desks(&self) -> Vec<Desk> {
        self.0.iter().map(Edge::desk).collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for edge in &mut self.0 {
                let written = edge.program.written();
                let last: Vec<_> = written.lines().rev().take(30).collect();
                let text: Vec<_> = last.into_iter().rev().collect();
                std::io::Write::write_all(
                    &mut std::io::stderr(),
                    format!("{} wrote at last:\n{}\n", edge.name, text.join("\n")).as_bytes(),
                )
                .unwrap();
            }
        }
    }
}

/// Asks until it holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
