use std::sync::Arc;

use dns::fleet::Fleet;
use runtime::metrics::Metrics;
use runtime::{Clock, Drain};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::*;
use crate::DnsMetrics;

/// A connection to a router that knows no pool.
async fn connected() -> TcpStream {
    let zones = r#"{"format": 1, "version": "v", "zones": {}, "pools": {}}"#;
    let fleet = Fleet::new(&serde_json::from_str(zones).unwrap()).unwrap();
    let metrics = DnsMetrics::new(&Metrics::default()).unwrap();
    let service = Service::new(Arc::new(fleet), Clock::system(), metrics, Drain::new());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(service, listener));
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_ends_its_connection() {
    for begin in ["", "GET / HTTP/1.1\r\nhost: cdn"] {
        let mut stream = connected().await;
        stream.write_all(begin.as_bytes()).await.unwrap();
        let began = Instant::now();
        let mut answer = Vec::new();
        let ended = timeout(LIFE, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{begin:?}: still open");
        assert!(began.elapsed() <= PATIENCE + GRACE, "{begin:?}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_never_reads_is_let_go() {
    let mut stream = connected().await;
    let began = Instant::now();
    let request = b"GET / HTTP/1.1\r\nhost: cdn.example.com\r\n\r\n".repeat(1_000);
    let asking = async { while stream.write_all(&request).await.is_ok() {} };
    assert!(timeout(LIFE * 10, asking).await.is_ok(), "still open");
    assert!(began.elapsed() <= LIFE + GRACE * 2, "{:?}", began.elapsed());
}
