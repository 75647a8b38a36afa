//! The programs `edge` and `local`: exit codes, messages, live reload, signals, memory.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use e2e::client::{Answer, Client, Request, ask};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use e2e::program::{LOCAL_PORTS, Program, free_ports};
use e2e::world::{Setup, TOKEN};
use serde_json::json;

use crate::processes::{Process, on_any_ports, replace, snapshot, until};

/// An edge on `config`, once it serves.
async fn edge(config: &std::path::Path, more: &[&str]) -> Process {
    Process::start("edge", config, more).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_with_a_wrong_file_says_where_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await.unwrap();
    let good = snapshot(&Setup::new(&origin));
    let path = folder.path().join("snapshot.json");
    let line_of = |part: &str| good.lines().position(|l| l.contains(part)).unwrap() + 1;
    for (what, text, line, reason) in [
        ("unknown name", good.replace("\"hosts\"", "\"hots\""), line_of("\"hosts\""), "hots"),
        (
            "wrong type",
            good.replace("\"upgrade\": false", "\"upgrade\": 3"),
            line_of("\"upgrade\""),
            "upgrade",
        ),
        (
            "other format",
            good.replace("\"format\": 1", "\"format\": 99"),
            line_of("\"format\""),
            "99",
        ),
        (
            "no host",
            good.replace("\"cdn.example.com\"", "\"cdn example\""),
            line_of("\"hosts\"") + 1,
            "cdn example",
        ),
        ("no document", "{".to_owned(), 1, ""),
    ] {
        fs::write(&path, text).unwrap();
        let program = Program::start(
            "edge",
            &[
                "--config",
                &path.display().to_string(),
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
            ],
        )
        .unwrap();
        let (code, output) = program.end().await.unwrap();
        assert_eq!(code, Some(2), "{what}: {output}");
        assert!(
            output.contains(&format!("{}:{line}", path.display())),
            "{what}, line {line}: {output}"
        );
        assert!(output.contains(reason), "{what}: {output}");
    }
    let program = Program::start("edge", &["--config", "/nowhere/snapshot.json"]).unwrap();
    let (code, output) = program.end().await.unwrap();
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("/nowhere/snapshot.json: cannot be read"), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_takes_over_a_new_file_and_keeps_the_old_when_it_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::fresh(600, "a"));
    fs::write(&path, snapshot(&Setup::new(&origin))).unwrap();
    let edge = edge(&path, &[]).await;
    ask(edge.address, "/a").await.unwrap().expect(200, "MISS");
    until(edge.address, "/a".into(), |a| a.field("x-cache") == "HIT").await;
    let mut open = Client::connect(edge.address).await.unwrap();
    open.ask("/a").await.unwrap().expect(200, "HIT");

    let quiet = Setup::new(&origin).site(json!({ "debugHeaders": "Never" }));
    replace(&path, &snapshot(&quiet));
    let answer = until(edge.address, "/a".into(), |a| !a.fields.has("x-cache")).await;
    answer.expect_status(200).expect_cache_status("lab-0; hit");
    open.ask("/a")
        .await
        .unwrap()
        .expect_status(200)
        .expect_no("x-cache")
        .expect_cache_status("hit");

    replace(&path, "sites: [");
    let refused = |a: &Answer| {
        a.text().lines().any(|l| l.contains("result=\"refused\"") && l.ends_with(" 1"))
    };
    until(edge.admin, "/metrics".into(), refused).await;
    ask(edge.address, "/a").await.unwrap().expect_status(200).expect_cache_status("hit");
    replace(&path, &snapshot(&Setup::new(&origin)));
    until(edge.address, "/a".into(), |a| a.field("x-cache") == "HIT").await;
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edges_debug_api_is_closed_without_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let secret = folder.path().join("token");
    let origin = Origin::start().await.unwrap();
    fs::write(&path, snapshot(&Setup::new(&origin))).unwrap();
    fs::write(&secret, format!("{TOKEN}\n")).unwrap();
    let right = Request::get("/debug/stats").field("authorization", &format!("Bearer {TOKEN}"));

    let closed = edge(&path, &[]).await;
    ask(closed.admin, "/healthz").await.unwrap().expect_status(200);
    ask(closed.admin, "/debug/stats").await.unwrap().expect_status(401);
    ask(closed.admin, &right).await.unwrap().expect_status(401);
    ask(closed.admin, Request::get("/debug/stats").field("authorization", "Bearer "))
        .await
        .unwrap()
        .expect_status(401);

    let open = edge(&path, &["--admin-token-file", &secret.display().to_string()]).await;
    ask(open.admin, "/debug/stats").await.unwrap().expect_status(401);
    ask(open.admin, &right).await.unwrap().expect_status(200);
    // Nothing of it on the clients' side.
    ask(open.address, &right).await.unwrap().expect_status(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_follows_its_token_file_and_starts_with_none_that_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let secret = folder.path().join("token");
    let origin = Origin::start().await.unwrap();
    fs::write(&path, snapshot(&Setup::new(&origin))).unwrap();
    fs::write(&secret, "one\n").unwrap();
    let with = |token: &str| {
        Request::get("/debug/stats").field("authorization", &format!("Bearer {token}"))
    };
    let file = secret.display().to_string();
    let mut edge = edge(&path, &["--admin-token-file", &file]).await;
    ask(edge.admin, with("one")).await.unwrap().expect_status(200);
    replace(&secret, "");
    edge.program.line("the last good admin token goes on").await.unwrap();
    ask(edge.admin, with("one")).await.unwrap().expect_status(200);
    ask(edge.admin, with("")).await.unwrap().expect_status(401);
    replace(&secret, "two\n");
    until(edge.admin, with("two"), |a| a.status == 200).await;
    ask(edge.admin, with("one")).await.unwrap().expect_status(401);

    replace(&secret, " \n");
    let config = path.display().to_string();
    let arguments = ["--config", &*config, "--admin-token-file", &file];
    let mut broken = Program::start("edge", &arguments).unwrap();
    let complaint = broken.line("is empty").await.unwrap();
    assert!(complaint.contains(&file), "{complaint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_drains_an_edge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let origin = Origin::start().await.unwrap();
    let gate = Gate::closed();
    origin.always("/late", Reply::fresh(60, "late").after(&gate));
    origin.always("/a", Reply::fresh(60, "a"));
    fs::write(&path, snapshot(&Setup::new(&origin))).unwrap();
    let mut edge = edge(&path, &["--drain-notice", "1"]).await;
    let mut late = Client::connect(edge.address).await.unwrap();
    late.send("/late").await.unwrap();
    origin.was_asked("/late", 1).await.unwrap();
    edge.program.terminate().unwrap();
    edge.program.line("\"draining\"").await.unwrap();
    ask(edge.admin, "/readyz").await.unwrap().expect_status(503);
    ask(edge.admin, "/healthz").await.unwrap().expect_status(200);
    ask(edge.address, "/a").await.unwrap().expect_status(200).expect_field("connection", "close");
    gate.open();
    late.answer().await.unwrap().expect_status(200).expect_body("late");
    let (code, output) = edge.program.end().await.unwrap();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("\"stopped\""), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_while_a_gigabyte_streams_to_a_slow_client() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let origin = Origin::start().await.unwrap();
    let reply = Reply::fresh(60, "").then_pattern(1 << 30);
    origin.always("/length", reply.clone());
    origin.always("/chunked", reply.clone().chunked());
    origin
        .always("/passed", Reply::ok("").then_pattern(1 << 30).field("cache-control", "no-store"));
    let setup = Setup::new(&origin).cache(json!({ "memory": "64Mi", "maxObjectSize": "4Mi" }));
    fs::write(&path, snapshot(&setup)).unwrap();
    let edge = edge(&path, &[]).await;
    ask(edge.address, "/warm").await.unwrap();
    for path in ["/length", "/chunked", "/passed"] {
        let mut slow = Client::connect_narrow(edge.address).await.unwrap();
        slow.send(path).await.unwrap();
        slow.head().await.unwrap().expect_status(200);
        slow.body(8 << 20).await.unwrap();
        let before = edge.program.resident().unwrap();
        for step in 0..4 {
            slow.body(4 << 20).await.unwrap();
            // The client looks away, and the origin would go on if it could.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = edge.program.resident().unwrap();
            assert!(
                now < before + 16 * MIB,
                "{path}, step {step}: from {} MiB to {} MiB",
                before / MIB,
                now / MIB
            );
        }
        assert!(edge.program.resident().unwrap() < 96 * MIB, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_manifests_are_reported_all_at_once_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let head = "apiVersion: cdn.blueorigin.dev/v1alpha1\nkind: EdgePool\nmetadata:\n";
    fs::write(folder.path().join("one.yaml"), format!("{head}  name: one\nspec:\n  pops:\n    - name: lab\n      replicas: -1\n  sites:\n    - hosts: [one.example.com]\n      orgins:\n        - url: http://one.example\n")).unwrap();
    fs::write(folder.path().join("two.yaml"), format!("{head}  name: two\nspec:\n  pops:\n    - name: lab\n  sites:\n    - hosts: [one.example.com]\n      origins:\n        - url: ftp://two.example\n      freshness:\n        staleIfError: soon\n---\n{head}  name: three\nspec:\n  sites: no\n")).unwrap();
    let port = free_ports(LOCAL_PORTS);
    let program = Program::start(
        "local",
        &[&folder.path().display().to_string(), "--base-port", &port.to_string()],
    )
    .unwrap();
    let (code, output) = program.end().await.unwrap();
    assert_eq!(code, Some(2), "{output}");
    let one = format!("{}/one.yaml", folder.path().display());
    let two = format!("{}/two.yaml", folder.path().display());
    for wanted in [
        format!("{one}:8: EdgePool/one: spec.pops[0].replicas: "),
        format!("{one}:11: EdgePool/one: spec.sites[0].orgins: "),
        format!("{two}:11: EdgePool/two: spec.sites[0].origins[0].url: "),
        format!("{two}:13: EdgePool/two: spec.sites[0].freshness.staleIfError: "),
        format!("{two}:20: EdgePool/three: spec.sites: "),
    ] {
        let line = output.lines().find(|line| line.starts_with(&wanted));
        assert!(
            line.is_some_and(|line| line.len() > wanted.len() + 10),
            "no {wanted:?} in:\n{output}"
        );
    }
    for port in [port, port + 1] {
        assert!(Client::connect(([127, 0, 0, 1], port).into()).await.is_err());
    }
    let program = Program::start("local", &["/nowhere/pool.yaml"]).unwrap();
    let (code, output) = program.end().await.unwrap();
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("/nowhere/pool.yaml"), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_runs_manifests_and_follows_their_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.yaml");
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::fresh(600, "a"));
    fs::write(&path, Setup::new(&origin).manifest()).unwrap();
    let port = free_ports(LOCAL_PORTS);
    let mut program = Program::start(
        "local",
        &[
            &folder.path().display().to_string(),
            "--origin",
            &origin.url(),
            "--base-port",
            &port.to_string(),
            "--admin-token",
            TOKEN,
        ],
    )
    .unwrap();
    program.line("Blue Origin is running").await.unwrap();
    let edge = SocketAddr::from(([127, 0, 0, 1], port + 1));
    let answer =
        until(edge, Request::get("/a").field("host", &format!("127.0.0.1:{}", port + 1)), |_| true)
            .await;
    answer.expect(200, "MISS");
    until(edge, "/a".into(), |a| a.field("x-cache") == "HIT").await;

    replace(&path, &Setup::new(&origin).site(json!({ "debugHeaders": "Never" })).manifest());
    program.line("the new version runs").await.unwrap();
    ask(edge, "/a")
        .await
        .unwrap()
        .expect_status(200)
        .expect_no("x-cache")
        .expect_cache_status("hit");

    replace(&path, &Setup::new(&origin).site(json!({ "debugHeaders": "Sometimes" })).manifest());
    let line = program.line("debugHeaders").await.unwrap();
    assert!(line.starts_with(&format!("{}:", path.display())), "{line}");
    program.line("the last good version runs").await.unwrap();
    ask(edge, "/a")
        .await
        .unwrap()
        .expect_status(200)
        .expect_no("x-cache")
        .expect_cache_status("hit");
    assert_eq!(origin.count("/a"), 1);

    let status = SocketAddr::from(([127, 0, 0, 1], port));
    let entries = Request::get("/edges/lab-0/debug/entries");
    ask(status, &entries).await.unwrap().expect_status(401);
    ask(status, entries.field("authorization", &format!("Bearer {TOKEN}")))
        .await
        .unwrap()
        .expect_status(200);
    program.terminate().unwrap();
    let (code, output) = program.end().await.unwrap();
    assert_eq!(code, Some(0), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_local_prints_is_what_an_edge_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, config) = (folder.path().join("pool.yaml"), folder.path().join("snapshot.json"));
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::fresh(600, "a"));
    fs::write(&manifest, Setup::new(&origin).manifest()).unwrap();
    let (code, text) = Program::start("local", &["snapshot", &manifest.display().to_string()])
        .unwrap()
        .end()
        .await
        .unwrap();
    assert_eq!(code, Some(0), "{text}");
    fs::write(&config, text).unwrap();
    let edge = edge(&config, &[]).await;
    ask(edge.address, "/a").await.unwrap().expect(200, "MISS").expect_body("a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let origin = Origin::start().await.unwrap();
    fs::write(&path, snapshot(&Setup::new(&origin))).unwrap();
    let taken = origin.address().to_string();
    for arguments in [
        ["--listen", &*taken, "--admin", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0", "--admin", &taken],
    ] {
        let config = path.display().to_string();
        let mut all = vec!["--config", &*config];
        all.extend(arguments);
        let (code, output) = Program::start("edge", &all).unwrap().end().await.unwrap();
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains(&taken), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_exits_with_2_when_what_it_is_given_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await.unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let [pool, empty, comment, pipe] = ["pool.yaml", "empty.yaml", "comment.yaml", "pipe"].map(at);
    fs::write(&pool, Setup::new(&origin).manifest()).unwrap();
    fs::write(&empty, "").unwrap();
    fs::write(&comment, "# nothing yet\n---\n# nor here\n").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let port = free_ports(LOCAL_PORTS).to_string();
    for (arguments, told) in [
        (&[&*pool, "--origin", "foo"][..], "--origin foo"),
        (&[&*pool, "--origin", "http://"], "--origin http://"),
        (&[&*pool, "--origin", "http://x/y"], "--origin http://x/y"),
        (&["snapshot", &*pool, "--origin", "foo"], "--origin foo"),
        (&[&*empty], &*empty),
        (&[&*empty, &*comment], &*format!("{empty}, {comment}: ")),
        (&["snapshot", &*comment], &*comment),
        (&[&*pipe], &*format!("{pipe}: cannot be read: it is a pipe")),
    ] {
        let arguments = match arguments {
            ["snapshot", ..] => arguments.to_vec(),
            _ => [arguments, &["--base-port", &port]].concat(),
        };
        let (code, output) = Program::start("local", &arguments).unwrap().end().await.unwrap();
        assert_eq!(code, Some(2), "{arguments:?}: {output}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(output.contains(told), "{arguments:?}: {output}");
    }
    let port = free_ports(LOCAL_PORTS);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let arguments = [&*pool, "--base-port", &port.to_string()];
    let (code, output) = Program::start("local", &arguments).unwrap().end().await.unwrap();
    assert_eq!(code, Some(1), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiers_exit_with_2_when_a_file_of_theirs_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await.unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let [good, empty, pipe] = ["snapshot.json", "empty", "pipe"].map(at);
    fs::write(&good, snapshot(&Setup::new(&origin))).unwrap();
    fs::write(&empty, "").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (edge, shield) = (on_any_ports(&good), on_any_ports(&pipe));
    for (program, usual, more, told) in [
        ("edge", &edge, &["--admin-token-file", "nope"][..], "nope: admin token cannot be read"),
        ("edge", &edge, &["--admin-token-file", &*empty], "is empty"),
        ("edge", &edge, &["--admin-token-file", &*pipe], "is a pipe, not a regular file"),
        ("edge", &edge, &["--log-file", "nope"], "cannot be read from nope"),
        ("edge", &edge, &["--log-file", &*pipe], "is a pipe, not a regular file"),
        ("edge", &edge, &["--fleet", &*pipe], "is a pipe, not a regular file"),
        ("shield", &shield, &[], "is a pipe, not a regular file"),
    ] {
        let arguments = [&usual[..], more].concat();
        let (code, output) = Program::start(program, &arguments).unwrap().end().await.unwrap();
        assert_eq!(code, Some(2), "{arguments:?}: {output}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(output.contains(told), "{arguments:?}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_local_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.yaml").display().to_string();
    let origin = Origin::start().await.unwrap();
    let gate = Gate::closed();
    origin.always("/late", Reply::fresh(60, "late").after(&gate));
    fs::write(&path, Setup::new(&origin).manifest()).unwrap();
    let port = free_ports(LOCAL_PORTS);
    let arguments = [&*path, "--origin", &origin.url(), "--base-port", &port.to_string()];
    let mut program = Program::start("local", &arguments).unwrap();
    program.line("Ctrl-C ends it").await.unwrap();
    let mut late = Client::connect(([127, 0, 0, 1], port + 1).into()).await.unwrap();
    late.send("/late").await.unwrap();
    origin.was_asked("/late", 1).await.unwrap();
    program.terminate().unwrap();
    program.line("Ctrl-C again ends it now").await.unwrap();
    program.terminate().unwrap();
    let (code, output) = program.end().await.unwrap();
    assert_eq!(code, Some(130), "{output}");
}
