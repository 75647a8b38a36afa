//! Bodies: whole, in pieces, in ranges, while they are written, and too large.

use std::task::Poll;

use cache::{Derived, Lookup, Progress};
use semantics::{Coding, NoStoreReason};

use crate::support::*;

#[test]
fn small_bodies_end_in_one_piece_and_large_ones_in_exact_chunks() {
    let cache = store(64 << 20);
    for (key, len) in [("a", 0), ("b", 1), ("c", 262_144), ("d", 262_145), ("e", 3_000_000)] {
        let body = bytes(len, 7);
        Ask::get(key).fill(&cache, FRESH, &body);
        let object = Ask::get(key).hit(&cache).object;
        assert_eq!(object.body().complete_len(), Some(len as u64));
        assert_eq!(object.body().complete().is_some(), len <= 262_144, "{len}");
        assert_eq!(read(object.body().reader(None)).unwrap(), body);
        let mut reader = object.body().reader(None);
        while let Some(piece) = block_on(reader.chunk()) {
            assert!(piece.unwrap().len() <= 262_144);
        }
    }
}

#[test]
fn ranges_are_cut_from_both_kinds() {
    let cache = store(64 << 20);
    let body = bytes(1_000_000, 3);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    write(&mut fill, &body);
    let object = Ask::get("k").hit(&cache).object;
    for (from, to) in [(0, 1), (262_143, 262_145), (5, 999_999), (999_999, 1_000_000), (7, 7)] {
        let part = read(object.body().reader(Some(from..to))).unwrap();
        assert_eq!(part, body[from as usize..to as usize], "{from}..{to}");
    }
    fill.finish().unwrap();
    let object = Ask::get("k").hit(&cache).object;
    for (from, to) in [(0, 1), (262_143, 262_145), (5, 999_999), (999_999, 2_000_000)] {
        let part = read(object.body().reader(Some(from..to))).unwrap();
        assert_eq!(part, body[from as usize..(to as usize).min(body.len())]);
    }
    assert_eq!(read(object.body().reader(Some(2_000_000..3_000_000))).unwrap(), b"");
}

#[test]
fn a_trickle_is_put_together() {
    let cache = store(64 << 20);
    let body = bytes(40_000, 5);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let mut reader = fill.object().body().reader(None);
    let mut got = Vec::new();
    for piece in body.chunks(3) {
        assert_eq!(block_on(fill.append(piece)), Progress::Storing);
        while let Poll::Ready(Some(piece)) = poll_once(reader.chunk()) {
            got.extend_from_slice(&piece.unwrap());
        }
    }
    fill.finish().unwrap();
    assert!(block_on(reader.chunk()).is_none());
    assert_eq!(got, body);
    let object = Ask::get("k").hit(&cache).object;
    assert_eq!(object.body().complete().unwrap(), &body);
}

#[test]
fn a_body_of_another_length_than_announced_is_not_stored() {
    let cache = store(1 << 20);
    for len in [3, 5] {
        let mut new = Ask::get("k").answer(FRESH);
        new.content_length = Some(4);
        let mut fill = Ask::get("k").miss(&cache).begin(new);
        assert_eq!(fill.object().body().expected_len(), Some(4));
        let reader = fill.object().body().reader(None);
        write(&mut fill, &vec![0; len]);
        assert_eq!(fill.finish().unwrap_err(), NoStoreReason::Truncated);
        assert!(read(reader).is_err());
    }
    assert_eq!(cache.stats().objects, 0);
    assert_eq!(cache.stats().bytes, 0);
}

#[test]
fn an_outgrown_body_streams_on_with_back_pressure() {
    let cache = store_with(cache::EvictionPolicy::S3Fifo, 64 << 20, 100_000);
    let body = bytes(1_000_000, 9);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let mut reader = fill.object().body().reader(None);
    let (mut got, mut streamed, mut waited) = (Vec::new(), false, false);
    let mut peak = 0;
    for piece in body.chunks(10_000) {
        match poll_once(fill.append(piece)) {
            Poll::Ready(progress) => assert_eq!(progress, Progress::Storing),
            Poll::Pending => {
                waited = true;
                got.extend_from_slice(&block_on(reader.chunk()).unwrap().unwrap());
                while poll_once(fill.append(&[])) != Poll::Ready(Progress::Streaming) {
                    got.extend_from_slice(&block_on(reader.chunk()).unwrap().unwrap());
                }
                streamed = true;
            }
        }
        peak = peak.max(cache.stats().in_flight_bytes);
    }
    assert!(streamed && waited);
    assert!(peak <= 130_000, "{peak}");
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::TooLarge);
    got.extend(read(reader).unwrap());
    assert!(got == body);
    assert!(matches!(Ask::get("k").of(&cache), Lookup::HitForMiss));
    assert_eq!(cache.stats().oversized, 1);
    assert_eq!(cache.stats().in_flight_bytes, 0);
}

#[test]
fn readers_that_are_equally_slow_hold_the_writer_back_and_none_is_cut() {
    let cache = store_with(cache::EvictionPolicy::S3Fifo, 64 << 20, 100_000);
    let body = bytes(1_000_000, 9);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let reader = || fill.object().body().reader(None);
    let mut readers = [reader(), reader(), reader()];
    let mut got = [Vec::new(), Vec::new(), Vec::new()];
    let (mut waited, mut peak) = (0, 0);
    for piece in body.chunks(10_000) {
        let mut blocked = poll_once(fill.append(piece)).is_pending();
        while blocked {
            waited += 1;
            for (reader, got) in readers.iter_mut().zip(&mut got) {
                got.extend_from_slice(&block_on(reader.chunk()).unwrap().unwrap());
            }
            blocked = poll_once(fill.append(&[])).is_pending();
        }
        peak = peak.max(cache.stats().in_flight_bytes);
    }
    assert!(waited > 50 && peak <= 130_000, "{waited} {peak}");
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::TooLarge);
    for (reader, mut got) in readers.into_iter().zip(got) {
        got.extend(read(reader).unwrap());
        assert!(got == body);
    }
}

#[test]
fn one_that_lags_behind_is_cut_when_another_waits() {
    let cache = store_with(cache::EvictionPolicy::S3Fifo, 64 << 20, 100_000);
    let body = bytes(10_000_000, 9);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let reader = |range| fill.object().body().reader(range);
    let (mut fast, mut slow) = (reader(None), reader(None));
    let (mut beginning, mut later) = (reader(Some(0..10)), reader(Some(9_000_000..9_000_010)));
    block_on(fill.append(&body[..10_000]));
    assert_eq!(block_on(slow.chunk()).unwrap().unwrap().len(), 10_000);
    // What it has in hand is all of its range: it lags behind nobody.
    assert_eq!(block_on(beginning.chunk()).unwrap().unwrap(), body[..10]);
    let (mut got, mut peak) = (Vec::new(), 0);
    // Less than a socket's buffers hold does not make it slow.
    let grace = 4 << 20;
    for piece in body[10_000..].chunks(10_000) {
        let blocked = poll_once(fill.append(piece)).is_pending();
        while let Poll::Ready(Some(piece)) = poll_once(fast.chunk()) {
            got.extend_from_slice(&piece.unwrap());
        }
        if blocked {
            assert_eq!(block_on(fill.append(&[])), Progress::Streaming);
        }
        peak = peak.max(cache.stats().in_flight_bytes);
    }
    assert!(peak + 10_000 > grace && peak <= grace + 30_000, "{peak}");
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::TooLarge);
    assert!(block_on(fast.chunk()).is_none());
    assert!(got == body);
    let part = block_on(later.chunk()).unwrap().unwrap();
    assert_eq!(part, body[9_000_000..9_000_010]);
    assert!(block_on(beginning.chunk()).is_none());
    // It stays cut, whatever is still kept for others.
    for _ in 0..2 {
        let cut = block_on(slow.chunk()).unwrap().unwrap_err();
        assert!(cut.to_string().contains("fell behind"), "{cut}");
    }
}

#[test]
fn a_waiting_writer_is_woken_by_a_reader_that_catches_up() {
    let cache = store_with(cache::EvictionPolicy::S3Fifo, 64 << 20, 1_000);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let (mut fast, slow) = (fill.object().body().reader(None), fill.object().body().reader(None));
    let writing = std::thread::spawn(move || {
        for _ in 0..1_000 {
            assert_ne!(block_on(fill.append(&[7; 10_000])), Progress::Abandoned);
        }
        fill.finish().unwrap_err()
    });
    let mut len = 0;
    while let Some(piece) = block_on(fast.chunk()) {
        len += piece.unwrap().len();
    }
    assert_eq!(len, 10_000_000);
    assert_eq!(writing.join().unwrap(), NoStoreReason::TooLarge);
    assert!(read(slow).is_err());
}

#[test]
fn streaming_without_a_reader_is_abandoned() {
    let cache = store_with(cache::EvictionPolicy::Lru, 64 << 20, 1_000);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let reader = fill.object().body().reader(None);
    assert_eq!(block_on(fill.append(&[0; 500])), Progress::Storing);
    assert_eq!(block_on(fill.append(&[0; 500])), Progress::Storing);
    assert!(poll_once(fill.append(&[0; 1])).is_pending());
    drop(reader);
    assert_eq!(block_on(fill.append(&[0; 900])), Progress::Abandoned);
}

#[test]
fn whoever_found_it_can_begin_at_the_first_byte() {
    let cache = store_with(cache::EvictionPolicy::Lru, 64 << 20, 1_000);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    let mut fill = obligation.begin(Ask::get("k").answer(FRESH));
    let mut own = fill.object().body().reader(None);
    let found = Ask::get("k").hit(&cache);
    block_on(fill.append(&[1; 800]));
    assert!(poll_once(fill.append(&[2; 800])).is_pending());
    assert_eq!(block_on(own.chunk()).unwrap().unwrap().len(), 800);
    assert_eq!(block_on(own.chunk()).unwrap().unwrap().len(), 800);
    assert!(poll_once(fill.append(&[])).is_ready());
    let late = block_on(waiter.outcome(&http::HeaderMap::new(), &rules()));
    let cache::Outcome::Filled(late) = late else { panic!("{late:?}") };
    for found in [found, late] {
        let mut reader = found.object.body().reader(None);
        assert_eq!(block_on(reader.chunk()).unwrap().unwrap()[0], 1);
    }
}

#[test]
fn a_known_length_beyond_the_limit_is_not_shared() {
    let cache = store_with(cache::EvictionPolicy::Lru, 64 << 20, 1_000);
    let mut new = Ask::get("k").answer(FRESH);
    new.content_length = Some(2_000);
    let obligation = Ask::get("k").miss(&cache);
    let mut waiter = Ask::get("k").wait(&cache);
    let mut fill = obligation.begin(new);
    let outcome = block_on(waiter.outcome(&http::HeaderMap::new(), &rules()));
    assert!(matches!(outcome, cache::Outcome::Uncacheable));
    let reader = fill.object().body().reader(None);
    assert_eq!(block_on(fill.append(&[0; 500])), Progress::Streaming);
    assert!(matches!(Ask::get("k").of(&cache), Lookup::HitForMiss));
    assert!(poll_once(fill.append(&[0; 1500])).is_pending());
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::TooLarge);
    assert_eq!(read(reader).unwrap().len(), 2_000);
}

#[test]
fn no_room_means_streaming_not_failing() {
    let cache = store_with(cache::EvictionPolicy::S3Fifo, 200_000, 1 << 20);
    let mut fill = Ask::get("k").miss(&cache).begin(Ask::get("k").answer(FRESH));
    let reader = fill.object().body().reader(None);
    let body = bytes(400_000, 1);
    let mut last = Progress::Storing;
    for piece in body.chunks(50_000) {
        last = block_on(fill.append(piece));
    }
    assert_eq!(last, Progress::Streaming);
    assert_eq!(fill.finish().unwrap_err(), NoStoreReason::NoRoom);
    assert!(read(reader).unwrap() == body);
}

#[test]
fn derived_bodies_are_made_once_and_go_with_their_object() {
    let cache = store(1 << 20);
    Ask::get("k").fill(&cache, FRESH, b"identity");
    let object = Ask::get("k").hit(&cache).object;
    let before = object.bytes_used();
    let Derived::Make(body, mut writer) = object.derived(Coding::Gzip) else { panic!("made?") };
    let Derived::Ready(other) = object.derived(Coding::Gzip) else { panic!("not shared") };
    let reader = other.reader(None);
    assert_eq!(block_on(writer.append(b"gzip")), Progress::Storing);
    assert!(writer.finish());
    assert_eq!(read(reader).unwrap(), b"gzip");
    assert_eq!(body.complete().unwrap(), "gzip".as_bytes());
    assert!(object.bytes_used() > before + 4);
    // Renewal keeps it.
    let (_, obligation) = Ask::get("k").at(100).stale(&cache);
    drop(object);
    let object = obligation.unwrap().freshen(renewed(FRESH, at(100)));
    assert!(matches!(object.derived(Coding::Gzip), Derived::Ready(_)));
    assert!(matches!(object.derived(Coding::Identity), Derived::Ready(_)));
    // An unfinished one is made anew.
    let Derived::Make(broken, writer) = object.derived(Coding::Br) else { panic!("made?") };
    drop(writer);
    assert!(read(broken.reader(None)).is_err());
    assert!(matches!(object.derived(Coding::Br), Derived::Make(..)));
    drop((object, body, other, broken));
    cache.clear();
    assert_eq!(cache.stats().bytes, 0);
}
