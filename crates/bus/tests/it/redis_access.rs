//! Every way to reach Redis: with a password, through TLS, in a cluster, through sentinels.

use std::sync::Arc;
use std::time::Duration;

use bus::contract::{order, publish, until, within};
use bus::{Bus, BusError, RedisBus, RedisSettings};
use tokio::time::Instant;
use wire::invalidation::Ack;

use crate::server::{Server, connect, free_port};

fn settings(url: String) -> RedisSettings {
    RedisSettings { url, ..RedisSettings::default() }
}

/// Everything that a log is asked for works here.
async fn works(settings: RedisSettings) {
    let (bus, other) = (connect(settings.clone()).await, connect(settings).await);
    let mut reader = other.subscribe(None);
    until(&mut reader, "caught up").await;
    let mut quickest = Duration::MAX;
    for id in ["a", "b", "c"] {
        let start = Instant::now();
        let at = publish(&bus, &[id]).await;
        assert_eq!(until(&mut reader, "caught up").await, [id, "caught up"]);
        quickest = quickest.min(start.elapsed());
        let ack = Ack { node: "n".into(), seq: at[0].seq, matched: Some(1), error: None };
        other.acknowledge(&at[0].epoch, std::slice::from_ref(&ack)).await.unwrap();
        let known = bus.acks(&at).await.unwrap();
        assert_eq!((known[0].present, &known[0].acks), (true, &vec![ack]));
    }
    assert!(quickest < Duration::from_millis(400), "woken: {quickest:?}");
    assert!(bus.members().await.unwrap().is_empty());
    assert!(!bus.leave("n").await.unwrap());
}

/// What is said when the log cannot be reached, once that is known.
async fn refusal(settings: RedisSettings) -> String {
    let bus = RedisBus::connect(settings).unwrap();
    within(async {
        loop {
            match bus.publish(&order("a")).await {
                Err(BusError::Away(reason)) if reason != "not connected yet" => return reason,
                other => assert!(other.is_err(), "{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// Runs a command in a server that wants this password.
async fn try_run<T: redis::FromRedisValue>(
    port: u16,
    password: &str,
    words: &[&str],
) -> redis::RedisResult<T> {
    let url = match password {
        "" => format!("redis://127.0.0.1:{port}"),
        _ => format!("redis://:{password}@127.0.0.1:{port}"),
    };
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd(words[0]);
    words[1..].iter().for_each(|word| {
        command.arg(word);
    });
    command.query_async(&mut connection).await
}

/// Runs a command until it succeeds.
async fn run<T: redis::FromRedisValue>(port: u16, password: &str, words: &[&str]) -> T {
    within(async {
        loop {
            if let Ok(answer) = try_run(port, password, words).await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_password_and_never_without() {
    let server = Server::spawn(free_port(), &["--requirepass", "s3cret"]);
    let _pong: String = run(server.port, "s3cret", &["PING"]).await;
    works(settings(format!("redis://:s3cret@127.0.0.1:{}", server.port))).await;
    works(settings(format!("redis://default:s3cret@127.0.0.1:{}/5", server.port))).await;
    for url in ["redis://127.0.0.1", "redis://:wr0ng@127.0.0.1", "redis://who:s3cret@127.0.0.1"] {
        let reason = refusal(settings(format!("{url}:{}", server.port))).await;
        assert!(!reason.contains("s3cret") && !reason.contains("wr0ng"), "{reason}");
        let lower = reason.to_lowercase();
        assert!(lower.contains("auth") || lower.contains("wrongpass"), "{reason}");
    }
}

/// A certificate authority and a server's certificate, as files.
fn certificates(folder: &std::path::Path) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(folder.join("ca.pem"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_tls_with_a_certificate_that_is_trusted_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (plain, port) = (free_port(), free_port());
    let _server = Server::spawn(
        plain,
        &[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &file("server.pem"),
            "--tls-key-file",
            &file("server.key"),
            "--tls-ca-cert-file",
            &file("ca.pem"),
            "--tls-auth-clients",
            "no",
        ],
    );
    let _pong: String = run(plain, "", &["PING"]).await;
    let ca = Some(folder.path().join("ca.pem"));
    let url = format!("rediss://localhost:{port}");
    works(RedisSettings { ca: ca.clone(), ..settings(url.clone()) }).await;
    let unknown = refusal(settings(url)).await;
    assert!(unknown.to_lowercase().contains("certificate"), "{unknown}");
    let another_name = format!("rediss://127.0.0.1:{port}");
    let misnamed = refusal(RedisSettings { ca, ..settings(another_name) }).await;
    assert!(misnamed.to_lowercase().contains("certificate"), "{misnamed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_cluster() {
    let server = Server::spawn(
        free_port(),
        &["--cluster-enabled", "yes", "--cluster-port", &free_port().to_string()],
    );
    let _ok: String = run(server.port, "", &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    within(async {
        while !run::<String>(server.port, "", &["CLUSTER", "INFO"]).await.contains("state:ok") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    works(settings(format!("redis+cluster://127.0.0.1:{}", server.port))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_sentinels_to_whichever_server_they_name() {
    let master = Server::start(&["--repl-diskless-sync-delay", "0"]).await;
    let master_port = master.port.to_string();
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master_port]).await;
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let configuration = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master_port} 1\n\
         sentinel down-after-milliseconds main 60000\n"
    );
    std::fs::write(folder.path().join("sentinel.conf"), configuration).unwrap();
    let arguments = vec!["sentinel.conf".to_owned(), "--sentinel".to_owned()];
    let sentinel = Server::spawn_as("redis-server", port, arguments, folder);
    let url = format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/main");
    works(settings(url.clone())).await;
    let copied = async || {
        let length: i64 = run(replica.port, "", &["XLEN", "{blue-origin}:log"]).await;
        length == 3
    };
    bus::contract::eventually("the replica has everything", copied).await;

    let bus: Arc<dyn Bus> = connect(settings(url)).await;
    let mut reader = bus.subscribe(None);
    until(&mut reader, "caught up").await;
    // Refused until the sentinel has asked the master for its replicas, which it does every ten seconds.
    let _ok: String = run(sentinel.port, "", &["SENTINEL", "FAILOVER", "main"]).await;
    bus::contract::eventually("the replica took over", async || {
        let role: redis::Value = run(replica.port, "", &["ROLE"]).await;
        format!("{role:?}").contains("master")
    })
    .await;
    master.kill();
    bus::contract::eventually("published to the new master", async || {
        bus.publish(&order("after")).await.is_ok()
    })
    .await;
    let told = until(&mut reader, "after").await;
    assert!(told.iter().all(|told| !told.starts_with("gap")), "nothing was lost: {told:?}");

    let unknown = refusal(settings(format!("redis+sentinel://127.0.0.1:{port}/other"))).await;
    assert!(unknown.contains("no such master"), "{unknown}");
}
