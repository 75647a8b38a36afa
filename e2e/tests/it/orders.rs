//! Orders by file and by command, in the program that a newcomer starts.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use e2e::client::{Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::program::{LOCAL_PORTS, Program, binary, free_ports};
use e2e::world::{Setup, TOKEN};
use serde_json::json;
use tempfile::TempDir;

/// `local` on a folder of its own, with three edges.
struct Local {
    program: Program,
    folder: TempDir,
    port: u16,
    _origin: Origin,
}

impl Local {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start().await.unwrap();
        origin.on("*", |asked| {
            let tag = if asked.target.starts_with("/shoes") { "shoes" } else { "hats" };
            Reply::fresh(600, asked.target.clone()).field("cache-tag", tag)
        });
        let pops = json!([{ "name": "a", "replicas": 2 }, { "name": "b", "replicas": 1 }]);
        let manifest = Setup::new(&origin).spec(json!({ "pops": pops })).manifest();
        fs::write(folder.path().join("pool.yaml"), manifest).unwrap();
        let port = free_ports(LOCAL_PORTS);
        let (at, origin_url, base) = (path(&folder), origin.url(), port.to_string());
        let arguments =
            [&at, "--origin", &origin_url, "--base-port", &base, "--admin-token", TOKEN];
        let mut program = Program::start("local", &arguments).unwrap();
        program.line("Blue Origin is running").await.unwrap();
        Self { program, folder, port, _origin: origin }
    }

    /// What the three edges say to a request for `path`.
    async fn words(&self, path: &str) -> Vec<String> {
        let mut words = Vec::new();
        for edge in 1..=3 {
            let address = SocketAddr::from(([127, 0, 0, 1], self.port + edge));
            let answer = ask(address, Request::get(path)).await.unwrap();
            answer.expect_status(200);
            words.push(answer.field("x-cache").to_owned());
        }
        words
    }

    async fn warm(&self, path: &str) {
        for _ in 0..100 {
            if self.words(path).await == ["HIT"; 3] {
                return;
            }
        }
        panic!("{path} is not stored");
    }

    fn drop_file(&self, name: &str, kind: &str, spec: &str) {
        let text = format!(
            "apiVersion: cdn.blueorigin.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{spec}"
        );
        fs::write(self.folder.path().join(format!("{name}.yaml")), text).unwrap();
    }

    fn remove_file(&self, name: &str) {
        fs::remove_file(self.folder.path().join(format!("{name}.yaml"))).unwrap();
    }

    /// `blue-origin …`: exit code, standard output, standard error.
    async fn command(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(binary("blue-origin").unwrap());
        command
            .args(["--api", &format!("http://127.0.0.1:{}", self.port)])
            .args(arguments)
            .env("BLUE_ORIGIN_TOKEN", TOKEN);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    async fn end(self) {
        self.program.terminate().unwrap();
        let (code, output) = self.program.end().await.unwrap();
        assert_eq!(code, Some(0), "{output}");
    }
}

fn path(folder: &TempDir) -> String {
    Path::display(folder.path()).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_dropped_into_the_folder_is_applied_once_and_told() {
    let mut local = Local::start().await;
    local.warm("/shoes").await;
    local.warm("/hats").await;
    local.drop_file("gone", "PurgeRequest", "  tags: [shoes]\n");
    let line = local.program.line("PurgeRequest gone").await.unwrap();
    assert!(line.contains("complete on 3 nodes"), "{line}");
    assert!(line.contains("3 matched"), "{line}");
    assert_eq!(local.words("/shoes").await, ["MISS"; 3]);
    assert_eq!(local.words("/hats").await, ["HIT"; 3]);
    // Another file changes: what was applied is not applied again.
    local.warm("/shoes").await;
    local.drop_file("other", "PurgeRequest", "  tags: [nothing]\n");
    local.program.line("PurgeRequest other").await.unwrap();
    assert_eq!(local.words("/shoes").await, ["HIT"; 3]);
    // The same file, away and back, is a new order.
    local.remove_file("gone");
    local.program.line("the new version runs").await.unwrap();
    local.drop_file("gone", "PurgeRequest", "  tags: [shoes]\n");
    local.program.line("PurgeRequest gone").await.unwrap();
    assert_eq!(local.words("/shoes").await, ["MISS"; 3]);
    local.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_dropped_into_the_folder_lasts_as_long_as_its_file() {
    let mut local = Local::start().await;
    local.warm("/shoes/1").await;
    local.warm("/shoes/2").await;
    local.drop_file("shoes", "BanRule", "  path:\n    glob: /shoes/*\n  ttl: 1h\n");
    let line = local.program.line("BanRule shoes").await.unwrap();
    assert!(line.contains("complete on 3 nodes"), "{line}");
    assert_eq!(local.words("/shoes/1").await, ["MISS"; 3]);
    let (code, out, _) = local.command(&["ban", "list"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains("/shoes/*"), "{out}");
    local.remove_file("shoes");
    local.program.line("its ban lifted").await.unwrap();
    assert_eq!(local.words("/shoes/2").await, ["HIT"; 3]);
    // A broken one is told with its place, and harms nothing.
    local.drop_file("broken", "BanRule", "  path:\n    regex: '('\n");
    let line = local.program.line("broken.yaml:").await.unwrap();
    assert!(line.contains("regex"), "{line}");
    assert_eq!(local.words("/shoes/2").await, ["HIT"; 3]);
    local.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_does_what_the_api_does_and_waits() {
    let local = Local::start().await;
    local.warm("/shoes").await;
    local.warm("/hats").await;
    let (code, out, err) = local.command(&["purge", "tag", "shoes", "--dry-run"]).await;
    assert_eq!((code, out.contains("3 matched")), (Some(0), true), "{out}{err}");
    assert_eq!(local.words("/shoes").await, ["HIT"; 3]);
    let (code, out, err) = local.command(&["purge", "tag", "shoes"]).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("complete: 3 matched, 3 nodes"), "{out}");
    assert!(err.contains("a-1: done"), "{err}");
    assert_eq!(local.words("/shoes").await, ["MISS"; 3]);
    let url = "https://cdn.example.com/hats";
    assert_eq!(local.command(&["purge", "url", url, "--soft"]).await.0, Some(0));
    assert_eq!(local.words("/hats").await, ["STALE"; 3]);
    let (code, out, _) = local.command(&["ban", "add", "--path-prefix", "/shoes"]).await;
    assert_eq!(code, Some(0), "{out}");
    let (_, listed, _) = local.command(&["--output", "json", "ban", "list"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let id = listed["bans"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(local.command(&["ban", "lift", &id]).await.0, Some(0));
    let (code, _, err) = local.command(&["ban", "lift", &id]).await;
    assert_eq!(code, Some(1), "{err}");
    let (code, _, err) = local.command(&["purge", "url", "https://other.example/x"]).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("no site of this pool serves"), "{err}");
    let (code, out, _) = local.command(&["status"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains("connected") && out.contains("b-0"), "{out}");
    local.end().await;
}
