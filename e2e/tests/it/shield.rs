//! The program `shield`, and the fleet document that it and `edge` watch.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use e2e::client::{Answer, Client, Request, ask};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use e2e::program::Program;
use e2e::world::{Setup, TOKEN};
use serde_json::{Value, json};
use wire::snapshot::Tier;

use crate::processes::{Process, on_any_ports, replace, snapshot, until};

const FLEET: &str = "format: 1
version: one
rings:
  shield/main:
    members:
      - name: shield-0
        url: http://10.0.0.1:8081
";

/// What a shield runs on.
fn shields(setup: &Setup) -> String {
    let mut snapshot = setup.pools().unwrap()[0].snapshot.clone();
    snapshot.tier = Tier::Shield;
    serde_json::to_string_pretty(&snapshot).unwrap()
}

struct Files {
    folder: tempfile::TempDir,
    origin: Origin,
}

impl Files {
    async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), origin: Origin::start().await.unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn shields(&self) -> PathBuf {
        self.file("shield.json", &shields(&Setup::new(&self.origin)))
    }

    fn edges(&self) -> PathBuf {
        self.file("edge.json", &snapshot(&Setup::new(&self.origin)))
    }
}

/// How a program ends that must not start.
async fn refused(name: &str, config: &Path, more: &[&str]) -> String {
    let config = config.display().to_string();
    let mut arguments = on_any_ports(&config);
    arguments.extend(more);
    let (code, output) = Program::start(name, &arguments).unwrap().end().await.unwrap();
    assert_eq!(code, Some(2), "{name}: {output}");
    output
}

/// Waits until the metric `line` is there, with the value `count`.
async fn counted(admin: SocketAddr, line: &str, count: u64) {
    let line = format!("{line} {count}");
    until(admin, "/metrics".into(), |a: &Answer| a.text().lines().any(|l| l == line)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shield_answers_tiers() {
    let files = Files::new().await;
    files.origin.always("/a", Reply::fresh(600, "a").field("surrogate-key", "shoes"));
    let shield = Process::start("shield", &files.shields(), &[]).await;
    let first = ask(shield.address, "/a").await.unwrap();
    // What a client is never shown: the tags, and the position that the answer is vouched for.
    first.expect(200, "MISS").expect_body("a").expect_field("surrogate-key", "shoes");
    assert!(first.fields.has("x-cdn-seq"), "{first:?}");
    let hit = until(shield.address, "/a".into(), |a| a.field("x-cache") == "HIT").await;
    hit.expect_body("a").expect_field("surrogate-key", "shoes");
    // It is believed: whoever knows of an order that this shield has not heard of gets what is newer.
    let knows = Request::get("/a").field("x-cdn-seq", "another-log/7-0");
    let newer = ask(shield.address, knows).await.unwrap();
    newer.expect_status(200).expect_field("x-cdn-seq", "another-log/7-0");
    assert_eq!(files.origin.count("/a"), 2);
    let asked = files.origin.last("/a");
    assert_eq!(asked.fields.get("cdn-loop"), Some("e2e.shield.blue-origin"));
    ask(shield.admin, "/readyz").await.unwrap().expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_program_tells_the_log_what_it_is() {
    let files = Files::new().await;
    let token = files.file("token", TOKEN).display().to_string();
    let asking = Request::get("/log").field("authorization", &format!("Bearer {TOKEN}"));
    for (name, config) in [("edge", files.edges()), ("shield", files.shields())] {
        let process = Process::start(name, &config, &["--admin-token-file", &token]).await;
        let there = |a: &Answer| a.status == 200 && a.text().contains("lab-0");
        let log = until(process.admin, asking.clone(), there).await;
        let log: Value = serde_json::from_str(&log.text()).unwrap();
        assert_eq!(log["nodes"][0]["name"], "lab-0", "{log}");
        assert_eq!(log["nodes"][0]["role"], name, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_program_runs_the_snapshot_of_another_tier() {
    let files = Files::new().await;
    let (edges, shields) = (files.edges(), files.shields());
    for (name, config, tier) in [("edge", &shields, "shield"), ("shield", &edges, "edge")] {
        let output = refused(name, config, &[]).await;
        let told = format!(
            "{name}: {}: this snapshot is for the tier `{tier}` (e2e); `{name}` was expected",
            config.display()
        );
        assert!(output.lines().any(|line| line == told), "no {told:?} in:\n{output}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shield_keeps_its_snapshot_when_the_new_one_is_an_edges() {
    let files = Files::new().await;
    files.origin.always("/a", Reply::fresh(600, "a"));
    let path = files.shields();
    let mut shield = Process::start("shield", &path, &[]).await;
    ask(shield.address, "/a").await.unwrap().expect(200, "MISS");
    let quiet = Setup::new(&files.origin).site(json!({ "debugHeaders": "Never" }));
    replace(&path, &snapshot(&quiet));
    let line = shield.program.line("the last good one goes on").await.unwrap();
    assert!(line.contains("`shield` was expected"), "{line}");
    counted(shield.admin, "cdn_config_reloads_total{result=\"refused\"}", 1).await;
    until(shield.address, "/a".into(), |a| a.field("x-cache") == "HIT").await;
    replace(&path, &shields(&quiet));
    until(shield.address, "/a".into(), |a| a.status == 200 && !a.fields.has("x-cache")).await;
    assert_eq!(files.origin.count("/a"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_drains_a_shield() {
    let files = Files::new().await;
    let gate = Gate::closed();
    files.origin.always("/late", Reply::fresh(60, "late").after(&gate));
    files.origin.always("/a", Reply::fresh(60, "a"));
    let mut shield = Process::start("shield", &files.shields(), &["--drain-notice", "1"]).await;
    let mut late = Client::connect(shield.address).await.unwrap();
    late.send("/late").await.unwrap();
    files.origin.was_asked("/late", 1).await.unwrap();
    shield.program.terminate().unwrap();
    shield.program.line("\"draining\"").await.unwrap();
    ask(shield.admin, "/readyz").await.unwrap().expect_status(503);
    let answer = ask(shield.address, "/a").await.unwrap();
    answer.expect_status(200).expect_field("connection", "close");
    gate.open();
    late.answer().await.unwrap().expect_status(200).expect_body("late");
    let (code, output) = shield.program.end().await.unwrap();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("\"stopped\""), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_wrong_fleet_nothing_starts() {
    let files = Files::new().await;
    let (edges, shields) = (files.edges(), files.shields());
    let wrong = files.file("fleet.yaml", &FLEET.replace(":8081", ""));
    let wrong = wrong.display().to_string();
    for (name, config) in [("edge", &edges), ("shield", &shields)] {
        let output = refused(name, config, &["--fleet", &wrong]).await;
        let told = format!("{name}: {wrong}:7: Fleet/one: rings[\"shield/main\"].members[0].url: ");
        let line = output.lines().find(|line| line.starts_with(&told));
        let line = line.unwrap_or_else(|| panic!("no {told:?} in:\n{output}"));
        assert!(line.contains("must be http://host:port"), "{line}");
        let output = refused(name, config, &["--fleet", "/nowhere/fleet.yaml"]).await;
        assert!(output.contains("/nowhere/fleet.yaml: cannot be read: "), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_fleet_is_said_and_the_old_one_goes_on() {
    let files = Files::new().await;
    files.origin.always("/a", Reply::fresh(600, "a"));
    let fleet = files.file("fleet.yaml", FLEET);
    let arguments = ["--fleet", &*fleet.display().to_string()];
    let mut edge = Process::start("edge", &files.edges(), &arguments).await;
    assert!(edge.program.written().contains("\"fleet\":\"one\""));
    replace(&fleet, &FLEET.replace("rings:", "rinks:"));
    let line = edge.program.line("new fleet refused; the last good one goes on").await.unwrap();
    assert!(line.contains(&format!("{}:3: Fleet/one: rinks: ", fleet.display())), "{line}");
    counted(edge.admin, "cdn_fleet_reloads_total{result=\"refused\"}", 1).await;
    ask(edge.address, "/a").await.unwrap().expect_status(200);
    replace(&fleet, &FLEET.replace("version: one", "version: two"));
    let line = edge.program.line("fleet taken over").await.unwrap();
    assert!(line.contains("\"version\":\"two\""), "{line}");
    counted(edge.admin, "cdn_fleet_reloads_total{result=\"taken-over\"}", 1).await;
    counted(edge.admin, "cdn_fleet_reloads_total{result=\"refused\"}", 1).await;
}
