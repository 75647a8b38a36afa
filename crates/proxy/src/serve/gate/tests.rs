use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::sync::atomic::AtomicU32;

use runtime::metrics::Metrics;
use tokio::net::TcpListener;
use wire::snapshot::Limits;

use super::*;
use crate::serve::open::Open;
use crate::serve::{Interim, ServeMetrics};

async fn gate() -> (Gate, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    let open = Open::new(&ServeMetrics::new(&Metrics::default()).unwrap());
    let one = open.try_one_more(1).unwrap();
    let ticks = Arc::new(AtomicU32::new(1));
    let connection = Connection::new(peer, Arc::new(Limits::default()), ticks, one);
    (Gate::new(stream, connection, None), client)
}

/// What one write takes of `bytes`.
async fn write(gate: &mut Gate, bytes: &[u8]) -> usize {
    let bufs = [IoSlice::new(bytes)];
    poll_fn(|cx| Pin::new(&mut *gate).poll_write_vectored(cx, &bufs)).await.unwrap()
}

async fn read(gate: &mut Gate) -> usize {
    let mut room = [0; 64];
    let mut buffer = hyper::rt::ReadBuf::new(&mut room);
    poll_fn(|cx| Pin::new(&mut *gate).poll_read(cx, buffer.unfilled())).await.unwrap();
    buffer.filled().len()
}

#[tokio::test]
async fn every_message_begins_a_stride_of_its_own() {
    const BODY: usize = STRIDE / 16;
    let (mut gate, mut client) = gate().await;
    let message = vec![7; BODY + 300];
    let mut taken = vec![0; message.len()];
    for nth in 0..40 {
        client.write_all(b"next").await.unwrap();
        assert_eq!(read(&mut gate).await, 4);
        assert_eq!(write(&mut gate, &message).await, message.len(), "message {nth} was cut");
        client.read_exact(&mut taken).await.unwrap();
    }
}

/// Where the writes of a message of these pieces end.
async fn ends(pieces: &[usize]) -> Vec<usize> {
    let (mut gate, mut client) = gate().await;
    let length: usize = pieces.iter().sum();
    let reads = tokio::spawn(async move {
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        all.len()
    });
    let message = vec![7; length];
    let (mut at, mut ends) = (0, Vec::new());
    while at < length {
        let mut bufs = Vec::new();
        let mut begin = 0;
        for piece in pieces {
            let end = begin + piece;
            if end > at {
                bufs.push(IoSlice::new(&message[begin.max(at)..end]));
            }
            begin = end;
        }
        at += poll_fn(|cx| Pin::new(&mut gate).poll_write_vectored(cx, &bufs)).await.unwrap();
        ends.push(at);
    }
    drop(gate);
    assert_eq!(reads.await.unwrap(), length);
    ends
}

#[tokio::test]
async fn writes_of_a_long_message_end_where_strides_do() {
    let ends = ends(&[4 * STRIDE]).await;
    for stride in 1..=3 {
        assert!(ends.contains(&(stride * STRIDE)), "{ends:?}");
    }
}

#[tokio::test]
async fn a_head_does_not_make_a_stride_cut_the_pieces_of_a_stored_body() {
    const HEAD: usize = 322;
    let mut pieces = vec![HEAD];
    pieces.resize(1 + 4 * STRIDE / cache::CHUNK, cache::CHUNK);
    let ends = ends(&pieces).await;
    for stride in 1..=4 {
        assert!(ends.contains(&(HEAD + stride * STRIDE)), "{ends:?}");
    }
}

/// Nobody needs them, and a client that does not read would have them pile up here.
#[tokio::test]
async fn interim_responses_beyond_a_bound_are_left_out() {
    let (gate, _client) = gate().await;
    let interim = Interim::new(&gate.connection, http::Version::HTTP_11).unwrap();
    let mut fields = http::HeaderMap::new();
    fields.insert("link", "v".repeat(8000).parse().unwrap());
    let waiting = || gate.connection.interim.lock().len();
    interim.relay(http::StatusCode::EARLY_HINTS, &fields);
    assert!(waiting() > 8000);
    for _ in 0..1000 {
        interim.relay(http::StatusCode::EARLY_HINTS, &fields);
    }
    assert!((64 << 10..80 << 10).contains(&waiting()), "{}", waiting());
}
