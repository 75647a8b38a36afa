//! Many edge programs on one Redis.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use e2e::client::{Client, HOST, Request};
use e2e::origin::Origin;
use e2e::program::Program;
use e2e::redis::Redis;
use serde_json::{Value, json};
use tokio::sync::Mutex;

const TOKEN: &str = "fifty";
/// Stored on every edge before the first order.
const OBJECTS: usize = 20;
/// The smallest store that holds them with room.
const MEMORY: u64 = 16 << 20;

/// A folder that goes when this is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Edges {
    edges: Vec<Edge>,
    _folder: Folder,
}

struct Edge {
    _program: Program,
    address: SocketAddr,
    admin: SocketAddr,
    /// Connections to its admin port that nobody uses now.
    idle: Mutex<Vec<Client>>,
}

impl Edges {
    /// Starts `count` of them, beside each other.
    pub(crate) async fn start(
        count: usize,
        redis: &Redis,
        origin: &Origin,
    ) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("fifty-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let folder = Folder(folder);
        let (config, token) = (folder.0.join("snapshot.json"), folder.0.join("token"));
        let snapshot = json!({
            "format": 1, "version": "fifty", "pool": "fifty",
            "cache": { "memoryBytes": MEMORY, "maxObjectBytes": MEMORY / 16 },
            "sites": [{
                "name": "fifty", "hosts": [HOST], "origins": [{ "url": origin.url() }],
            }],
        });
        std::fs::write(&config, snapshot.to_string())?;
        std::fs::write(&token, TOKEN)?;
        let path = std::env::current_exe()?.with_file_name("edge");
        ensure!(path.exists(), "build it first: cargo build --release -p edge");
        let (config, token, url) =
            (config.display().to_string(), token.display().to_string(), redis.url());
        let mut programs = Vec::new();
        for n in 0..count {
            let name = format!("edge-{n}");
            programs.push(Program::start_at(
                &path,
                &[
                    ["--config", &config],
                    ["--admin-token-file", &token],
                    ["--log", &url],
                    ["--name", &name],
                    ["--listen", "127.0.0.1:0"],
                    ["--admin", "127.0.0.1:0"],
                    ["--threads", "1"],
                ]
                .concat(),
            )?);
        }
        let mut edges = Vec::new();
        for mut program in programs {
            let line: Value = serde_json::from_str(&program.line("\"serving\"").await?)?;
            let at = |name: &str| -> anyhow::Result<SocketAddr> {
                Ok(line[name].as_str().context("no address")?.parse()?)
            };
            let (address, admin) = (at("listen")?, at("admin")?);
            edges.push(Edge { _program: program, address, admin, idle: Mutex::default() });
        }
        Ok(Self { edges, _folder: folder })
    }

    /// Stores objects on every edge.
    pub(crate) async fn warm(&self) -> anyhow::Result<()> {
        for edge in &self.edges {
            let mut client = Client::connect(edge.address).await?;
            for n in 0..OBJECTS {
                client.ask(Request::get(&format!("/object-{n}"))).await?.expect_status(200);
            }
        }
        Ok(())
    }

    /// Has one of them purge something everywhere, by URL and by tag in turn, until it says that it is done.
    pub(crate) async fn purge(&self, id: &str, n: usize) -> anyhow::Result<()> {
        let edge = self.edges.get(n % self.edges.len()).context("no edge")?;
        let object = format!("object-{n}");
        let body = match n % 2 {
            0 => json!({ "id": id, "url": format!("http://{HOST}/{object}") }),
            _ => json!({ "id": id, "tag": object }),
        };
        let idle = edge.idle.lock().await.pop();
        let mut client = match idle {
            Some(client) => client,
            None => Client::connect(edge.admin).await?,
        };
        let request = Request::new("POST", "/purge")
            .field("authorization", &format!("Bearer {TOKEN}"))
            .body(body.to_string());
        let answer = client.ask(request).await?;
        ensure!(answer.status == 200, "{id} is not complete: {answer:?}");
        edge.idle.lock().await.push(client);
        Ok(())
    }
}
