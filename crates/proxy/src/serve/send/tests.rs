use std::future::poll_fn;
use std::io::IoSlice;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Cache, Going, Lookup, NewObject, Query, Settings, Tags};
use http::{HeaderMap, Method, StatusCode};
use semantics::{Exchange, Policy, RequestDirectives, Timestamp, VariantRules, storable};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::{LONG, Sender};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn bytes(seed: u8, len: usize) -> Bytes {
    (0..len).map(|n| (n % 251) as u8 ^ seed).collect()
}

/// A body as the store holds it: in pieces.
async fn stored(cache: &Arc<Cache>, key: &str, body: &Bytes) -> Vec<Bytes> {
    let directives = RequestDirectives::default();
    let asked = cache.lookup(&Query {
        key: key.as_bytes(),
        head: false,
        request: &HeaderMap::new(),
        rules: &VariantRules::default(),
        directives: &directives,
        now: NOW,
        arrived: cache.position(),
        unvouched: false,
        going: Going::Up,
    });
    let Lookup::Miss(_, obligation) = asked else { panic!("{key} was there") };
    let mut headers = HeaderMap::new();
    headers.insert("cache-control", "max-age=60".parse().unwrap());
    let exchange = Exchange {
        method: &Method::GET,
        request: &HeaderMap::new(),
        request_directives: &directives,
        status: StatusCode::OK,
        response: &headers,
        request_time: NOW,
        response_time: NOW,
    };
    let freshness = storable(&exchange, &Policy::default()).unwrap().freshness;
    let mut fill = obligation.begin(NewObject {
        status: StatusCode::OK,
        headers,
        freshness,
        vary: None,
        variant: Box::default(),
        tags: Tags::default(),
        content_length: Some(body.len() as u64),
        head_only: false,
    });
    for part in body.chunks(60_001) {
        fill.append(part).await;
    }
    let object = fill.finish().unwrap();
    let mut reader = object.body().reader(None);
    let mut pieces = Vec::new();
    while let Some(piece) = reader.chunk().await {
        pieces.push(piece.unwrap());
    }
    pieces
}

async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let out = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (out, listener.accept().await.unwrap().0)
}

/// Sends all of `parts`, at most `most` bytes in a write.
async fn send_all(sender: &mut Sender, out: &TcpStream, parts: &[Bytes], most: usize) {
    let mut rest: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
    while !rest.is_empty() {
        let mut left = most;
        let mut bufs = Vec::new();
        for part in &rest {
            bufs.push(IoSlice::new(&part[..part.len().min(left)]));
            left -= part.len().min(left);
            if left == 0 {
                break;
            }
        }
        let mut sent = poll_fn(|cx| sender.poll_send(out, cx, &bufs)).await.unwrap();
        assert!(sent > 0);
        while sent > 0 {
            let of_first = sent.min(rest[0].len());
            rest[0] = &rest[0][of_first..];
            sent -= of_first;
            rest.retain(|part| !part.is_empty());
        }
    }
}

#[tokio::test]
async fn whatever_the_socket_takes_at_once_all_arrives_in_order() {
    let cache = Cache::new(Settings { capacity: 64 << 20, ..Settings::default() });
    let large = bytes(1, 5 * LONG + 70_003);
    let middle = bytes(2, 65_536);
    let small = bytes(3, 900);
    let mut message = Vec::new();
    for (key, body) in [("large", &large), ("middle", &middle), ("small", &small)] {
        message.push(Bytes::from(format!("head of {key};")));
        message.extend(stored(&cache, key, body).await);
    }
    message.push(bytes(4, 40_000)); // not of the store
    message.extend(message.clone());
    for (most, pause) in [(1 << 20, 0), (1 << 20, 3), (300_001, 1), (70_000, 0)] {
        let (out, mut read) = connection().await;
        let reads = tokio::spawn(async move {
            let mut all = Vec::new();
            let mut some = vec![0; 90_000];
            loop {
                if pause > 0 && all.len() % 7 == 0 {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                match read.read(&mut some).await.unwrap() {
                    0 => return all,
                    n => all.extend_from_slice(&some[..n]),
                }
            }
        });
        let mut sender = Sender::default();
        send_all(&mut sender, &out, &message, most).await;
        assert!(sender.pipe.is_none(), "what is copied at the end gives the pipe back");
        drop(out);
        assert!(reads.await.unwrap() == message.concat(), "{most} bytes a write");
    }
}

#[tokio::test]
async fn what_is_in_a_pipe_when_something_else_is_sent_is_forgotten() {
    let cache = Cache::new(Settings { capacity: 64 << 20, ..Settings::default() });
    let pieces = stored(&cache, "left", &bytes(5, 24 * LONG)).await;
    let (out, mut read) = connection().await;
    let mut sender = Sender::default();
    let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    // Nobody reads: sooner or later the socket takes a part of what is in the pipe.
    let mut sent = 0;
    let first = poll_fn(|cx| sender.poll_send(&out, cx, &slices)).await.unwrap();
    sent += first;
    assert!(first < 24 * LONG, "the socket took everything");
    assert!(sender.pipe.is_some(), "a long run goes through a pipe");
    sender.rest();
    assert!(sender.pipe.is_none());
    let whole = pieces.concat();
    let reads = tokio::spawn(async move {
        let mut all = Vec::new();
        read.read_to_end(&mut all).await.unwrap();
        all
    });
    // A range from elsewhere, and then the beginning once more.
    let range = [pieces[3].slice(10..), pieces[4].clone(), Bytes::from_static(b"|")];
    send_all(&mut sender, &out, &range, 1 << 20).await;
    send_all(&mut sender, &out, &pieces, 1 << 20).await;
    sender.rest();
    drop(out);
    let expected = [&whole[..sent], &range.concat(), &whole].concat();
    assert!(reads.await.unwrap() == expected);
}

#[tokio::test]
async fn a_connection_keeps_no_pipe_that_is_empty() {
    let cache = Cache::new(Settings { capacity: 64 << 20, ..Settings::default() });
    let pieces = stored(&cache, "taken", &bytes(7, 2 * LONG)).await;
    let (out, mut read) = connection().await;
    let mut sender = Sender::default();
    let mut taken = vec![0; 2 * LONG];
    for part in [&pieces[..], &pieces[..]] {
        let (_, read) =
            tokio::join!(send_all(&mut sender, &out, part, 1 << 20), read.read_exact(&mut taken),);
        assert_eq!(read.unwrap(), 2 * LONG);
        assert!(taken == pieces.concat());
        assert!(sender.pipe.is_none(), "others want it until this one writes again");
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_an_error_and_no_end_of_us() {
    let cache = Cache::new(Settings { capacity: 64 << 20, ..Settings::default() });
    let pieces = stored(&cache, "gone", &bytes(6, 8 * LONG)).await;
    let (out, read) = connection().await;
    drop(read);
    let mut sender = Sender::default();
    let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    loop {
        let sent = poll_fn(|cx| sender.poll_send(&out, cx, &slices)).await;
        let Err(error) = sent else { continue };
        let kind = error.kind();
        assert!(
            matches!(kind, std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset),
            "{kind:?}"
        );
        break;
    }
}

/// The pieces of bodies, of which each of so many threads stored one.
fn stored_by_threads(threads: u8) -> Vec<Bytes> {
    let one = |seed| {
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let cache = Cache::new(Settings { capacity: 64 << 20, ..Settings::default() });
            runtime.block_on(stored(&cache, "own", &bytes(seed, 8 * LONG)))
        })
    };
    let running: Vec<_> = (0..threads).map(one).collect();
    running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

#[tokio::test]
async fn pieces_of_different_files_are_not_taken_for_one_run() {
    let pieces = stored_by_threads(16);
    let lies = |piece: &Bytes| cache::backing(piece).unwrap();
    // The ends of pieces and the beginnings of others that lie where they end, but in another file.
    let mut seams = Vec::new();
    for (first, second) in pieces.iter().flat_map(|a| pieces.iter().map(move |b| (a, b))) {
        let (this, next) = (lies(first), lies(second));
        let end = this.offset + first.len() as u64;
        if end == next.offset && !std::ptr::eq(this.file, next.file) {
            assert!(!this.is_followed_by(next, first.len() as u64));
            seams.extend([first.slice(first.len() - 40_000..), second.slice(..40_000)]);
        }
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(seams.is_empty(), cores == 1, "one file a core");
    for most in [80_000, 320_000, 1 << 20] {
        let (out, mut read) = connection().await;
        let reads = tokio::spawn(async move {
            let mut all = Vec::new();
            read.read_to_end(&mut all).await.unwrap();
            all
        });
        let mut sender = Sender::default();
        send_all(&mut sender, &out, &seams, most).await;
        sender.rest();
        drop(out);
        assert!(reads.await.unwrap() == seams.concat(), "{most} bytes a write");
    }
}
