//! `kill -TERM` under load: nothing that an edge accepted fails.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::client::Client;
use e2e::origin::{Origin, Reply, pattern};
use e2e::program::Program;
use e2e::world::Setup;
use tokio::task::JoinSet;

const CLIENTS: usize = 32;

/// Asks one after another until no new connection is taken; every other failure is an error.
///
/// When a listener closes, the kernel resets the connections that it has completed and the edge has not
/// accepted yet. No server can prevent that; such a connection is one that was not taken, and is counted.
async fn ask_on(
    address: SocketAddr,
    path: &'static str,
    answered: Arc<AtomicUsize>,
    not_taken: Arc<AtomicUsize>,
) -> io::Result<()> {
    loop {
        let mut client = match Client::connect(address).await {
            Ok(client) => client,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                not_taken.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            Err(error) => return Err(io::Error::other(format!("connecting: {error}"))),
        };
        let mut taken = false;
        loop {
            let answer = match client.ask(path).await {
                Err(error) if !taken && error.kind() == io::ErrorKind::ConnectionReset => {
                    not_taken.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => return Err(io::Error::other(format!("taken {taken}: {error}"))),
                Ok(answer) => answer,
            };
            taken = true;
            answer.expect_status(200).expect_body(pattern(0, 20_000));
            answered.fetch_add(1, Ordering::Relaxed);
            if answer.fields.lists("connection", "close") {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_that_was_accepted_before_or_during_the_drain() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("snapshot.json");
    let origin = Origin::start().await.unwrap();
    origin.always("/stored", Reply::fresh(60, pattern(0, 20_000)));
    origin.always("/passed", Reply::ok(pattern(0, 20_000)).field("cache-control", "no-store"));
    let snapshot = &Setup::new(&origin).pools().unwrap()[0].snapshot;
    fs::write(&config, serde_json::to_string(snapshot).unwrap()).unwrap();
    let config = config.display().to_string();
    let arguments = ["--config", &config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let mut edge = Program::start(
        "edge",
        &[&arguments[..], &["--threads", "2", "--drain-notice", "1"]].concat(),
    )
    .unwrap();
    let line = edge.line("\"serving\"").await.unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address: SocketAddr = line["listen"].as_str().unwrap().parse().unwrap();

    let (answered, not_taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for i in 0..CLIENTS {
        let path = if i % 2 == 0 { "/stored" } else { "/passed" };
        clients.spawn(ask_on(address, path, answered.clone(), not_taken.clone()));
    }
    while answered.load(Ordering::Relaxed) < 1_000 {
        assert!(clients.try_join_next().is_none(), "a client ended before the edge did");
        tokio::task::yield_now().await;
    }
    edge.terminate().unwrap();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap().unwrap();
    }
    let not_taken = not_taken.load(Ordering::Relaxed);
    assert!(not_taken <= CLIENTS / 8, "{not_taken} connections were completed and not accepted");
    let (code, output) = edge.end().await.unwrap();
    assert_eq!(code, Some(0), "{output}");
}
