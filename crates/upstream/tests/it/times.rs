//! Time limits.

use std::sync::atomic::Ordering::SeqCst;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::server::Server;
use super::*;

fn setup(timeouts: Timeouts) -> Setup {
    Setup { timeouts, ..Setup::default() }
}

#[tokio::test]
async fn silence_ends_in_time() {
    let server = Server::start("a").await;
    server.told.delay_ms.store(60_000, SeqCst);
    let timeouts = Timeouts { first_byte_ms: 100, ..Timeouts::default() };
    let site = setup(timeouts).urls(&[&server.url]);
    let begun = Instant::now();
    assert_eq!(site.told().await, (504, "first-byte-timeout".into()));
    assert!(begun.elapsed() < ms(5000), "{:?}", begun.elapsed());
    // There was no time for another try.
    assert_eq!((server.seen(), site.order[0].in_flight()), (1, 0));
}

#[tokio::test]
async fn a_stalled_body_ends_in_time_and_counts_against_the_server() {
    let server = Server::start("a").await;
    server.told.stall.store(true, SeqCst);
    let timeouts = Timeouts { between_bytes_ms: 100, ..Timeouts::default() };
    let site = setup(timeouts).urls(&[&server.url]);
    assert_eq!(site.told().await, (200, "between-bytes-timeout".into()));
    assert_eq!(site.order[0].report().counts.failed, 1);
}

#[tokio::test]
async fn the_whole_ends_in_time_before_the_head_and_after_it() {
    let server = Server::start("a").await;
    let timeouts = Timeouts { total_ms: 200, ..Timeouts::default() };
    let site = setup(timeouts).urls(&[&server.url]);
    server.told.stall.store(true, SeqCst);
    let begun = Instant::now();
    assert_eq!(site.told().await, (200, "total-timeout".into()));
    assert!((ms(200)..ms(5000)).contains(&begun.elapsed()), "{:?}", begun.elapsed());

    server.told.delay_ms.store(60_000, SeqCst);
    assert_eq!(site.told().await, (504, "total-timeout".into()));
}

#[tokio::test]
async fn the_whole_ends_in_time_even_if_something_comes_all_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(ms(5)).await;
        }
    });
    let timeouts = Timeouts { total_ms: 200, between_bytes_ms: 5000, ..Timeouts::default() };
    let site = setup(timeouts).urls(&[&url]);
    let begun = Instant::now();
    assert_eq!(site.told().await, (200, "total-timeout".into()));
    assert!((ms(200)..ms(4000)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    // It may have been the reader that was slow.
    let report = site.order[0].report();
    assert_eq!((report.in_flight, report.counts.failed), (0, 0));
}

#[tokio::test]
async fn the_whole_ends_in_time_in_the_queue_too() {
    let server = Server::start("a").await;
    server.told.stall.store(true, SeqCst);
    let timeouts = Timeouts { total_ms: 200, ..Timeouts::default() };
    let limits = OriginLimits { max_concurrency: 1, ..OriginLimits::default() };
    let site = Setup { timeouts, limits, ..Setup::default() }.urls(&[&server.url]);
    let _held = site.get().await.unwrap();
    assert_eq!(site.told().await, (504, "total-timeout".into()));
}

#[tokio::test]
async fn waiting_for_a_turn_takes_nothing_from_the_time_for_the_first_byte() {
    let server = Server::start("a").await;
    server.told.delay_ms.store(300, SeqCst);
    let timeouts = Timeouts { first_byte_ms: 500, ..Timeouts::default() };
    let limits = OriginLimits { max_concurrency: 1, ..OriginLimits::default() };
    let site = Setup { timeouts, limits, ..Setup::default() }.urls(&[&server.url]);
    let (one, two, three) = tokio::join!(site.told(), site.told(), site.told());
    assert_eq!([one.0, two.0, three.0], [200; 3]);
}
