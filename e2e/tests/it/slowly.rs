//! Who takes an answer slowly gets all of it: no limit counts what is on its way for nothing.

use std::net::SocketAddr;
use std::time::Duration;

use e2e::client::{Client, HOST, Http2};
use e2e::gate::Gate;
use e2e::origin::Reply;
use http_body_util::BodyExt;
use runtime::Stage;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::support::{echoing, start};

/// The frames of HTTP/2, by hand: a library takes from the socket whatever comes.
struct Raw(TcpStream);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

impl Raw {
    /// A client with a narrow socket whose windows are wide open.
    async fn connect(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 << 10).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let wide = (1_u32 << 30).to_be_bytes();
        let hello = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            // SETTINGS_INITIAL_WINDOW_SIZE
            frame(SETTINGS, 0, 0, &[&[0, 4][..], &wide].concat()),
            frame(WINDOW_UPDATE, 0, 0, &wide),
        ];
        stream.write_all(&hello.concat()).await.unwrap();
        Self(stream)
    }

    async fn get(&mut self, stream: u32, path: &str) {
        let text = |name: u8, value: &str| {
            [&[name, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat()
        };
        // RFC 7541: `:method: GET`, `:scheme: http`, and literals for the names of `:authority` and `:path`.
        let block = [vec![0x82, 0x86], text(0x01, HOST), text(0x04, path)].concat();
        let headers = frame(HEADERS, END_HEADERS | END_STREAM, stream, &block);
        self.0.write_all(&headers).await.unwrap();
    }

    /// Bytes of bodies, read at so many a tick of 20 ms until `streams` have ended.
    async fn take(&mut self, streams: usize, pace: usize) -> usize {
        let (mut bytes, mut got, mut ended) = (Vec::new(), 0, 0);
        let mut ticks = interval(Duration::from_millis(20));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while ended < streams {
            ticks.tick().await;
            let mut piece = vec![0; pace];
            let n = self.0.read(&mut piece).await.unwrap();
            assert!(n > 0, "closed after {got} bytes, {ended} of {streams} ended");
            bytes.extend_from_slice(&piece[..n]);
            while let Some(length) = bytes.first_chunk().map(|b: &[u8; 3]| {
                usize::from(b[0]) << 16 | usize::from(b[1]) << 8 | usize::from(b[2])
            }) && bytes.len() >= 9 + length
            {
                if bytes[3] == DATA {
                    got += length;
                    ended += usize::from(bytes[4] & END_STREAM);
                }
                bytes.drain(..9 + length);
            }
        }
        got
    }
}

/// What is handed over and not written yet is no idleness.
#[tokio::test]
async fn the_end_of_an_http2_answer_may_take_longer_than_an_idle_connection() {
    let limits = json!({ "idleTimeout": "500ms", "betweenBytesTimeout": "700ms" });
    let (origin, world) = echoing(|s| s.limits(limits)).await;
    const LENGTH: usize = 40 << 10;
    const STREAMS: usize = 40;
    origin.always("/a", Reply::fresh(60, "").then_pattern(LENGTH as u64));
    world.ask("/a").await.expect(200, "MISS");
    let mut client = Raw::connect(world.address).await;
    for n in 0..STREAMS as u32 {
        client.get(2 * n + 1, "/a").await;
    }
    // 20 KiB a tick: all of it takes about two seconds.
    assert_eq!(client.take(STREAMS, 20 << 10).await, LENGTH * STREAMS);
    assert_eq!(world.metric("cdn_client_connections_timed_out_total", "limit=\"stays\""), 0.0);
}

/// However narrow the window that they share is.
#[tokio::test]
async fn many_http2_streams_of_a_slow_client_have_their_turns() {
    let (origin, world) = echoing(|s| s.limits(json!({ "betweenBytesTimeout": "1s" }))).await;
    const LENGTH: usize = 60 << 10;
    origin.always("/a", Reply::fresh(60, "").then_pattern(LENGTH as u64));
    world.ask("/a").await.expect(200, "MISS");
    let http2 = Http2::connect_with_window(world.address, 65_535).await.unwrap();
    let pace = std::sync::Arc::new(tokio::sync::Mutex::new(0));
    let mut taking = JoinSet::new();
    for _ in 0..100 {
        let (mut http2, pace) = (http2.clone(), pace.clone());
        taking.spawn(async move {
            let mut body = http2.open("/a").await.unwrap().into_body();
            let mut got = 0;
            loop {
                let Some(frame) = body.frame().await else { return got };
                let length = frame.unwrap().into_data().unwrap().len();
                got += length;
                // All of them together take about 2 MB/s.
                let mut taken = pace.lock().await;
                *taken += length;
                if *taken >= 32 << 10 {
                    *taken = 0;
                    sleep(Duration::from_millis(16)).await;
                }
            }
        });
    }
    assert!(taking.join_all().await.into_iter().all(|got| got == LENGTH));
}

/// A process that leaves finishes what a socket has not taken yet.
#[tokio::test]
async fn a_drain_waits_for_who_reads_slowly() {
    let (origin, world) = start().await;
    const LENGTH: usize = 5 << 18;
    origin.always("/a", Reply::fresh(60, "").then_pattern(LENGTH as u64));
    world.ask("/a").await.expect(200, "MISS");
    let mut client = Client::connect_narrow(world.address).await.unwrap();
    client.send("/a").await.unwrap();
    client.head().await.unwrap().expect_status(200);
    world.node.drain.advance(Stage::Draining);
    // The socket takes the next bytes when much of what it has is gone, which is seconds.
    let mut got = 0;
    for round in 0.. {
        sleep(Duration::from_millis(if round < 16 { 240 } else { 0 })).await;
        let (piece, cut) = client.body((24 << 10).min(LENGTH - got)).await.unwrap();
        got += piece.len();
        assert!(!cut && !piece.is_empty(), "cut after {got} bytes");
        if got == LENGTH {
            break;
        }
    }
}

/// Its request goes on for the others, and no place is kept for it.
#[tokio::test]
async fn a_client_that_leaves_gives_up_its_place_at_once() {
    let (origin, world) = echoing(|s| s.limits(json!({ "idleTimeout": "300ms" }))).await;
    let gate = Gate::closed();
    origin.always("/slow", Reply::fresh(60, "slow").after(&gate));
    let mut client = world.connect().await;
    client.send("/slow").await.unwrap();
    origin.was_asked("/slow", 1).await.unwrap();
    drop(client);
    world.until("it is gone", || world.metric("cdn_client_connections", "") < 0.5).await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(world.metric("cdn_client_connections_timed_out_total", ""), 0.0);
    gate.open();
}

/// A stream shows no socket what its client sends.
#[tokio::test]
async fn an_upload_that_stalls_over_http2_is_ended_in_the_time_of_the_pool() {
    let (origin, world) = echoing(|s| s.limits(json!({ "betweenBytesTimeout": "300ms" }))).await;
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let stalled = timeout(Duration::from_secs(10), http2.stall("/a")).await;
    stalled.unwrap().unwrap().expect_status(408);
    http2.ask("/b").await.unwrap().expect_status(200);
    drop(origin);
}
