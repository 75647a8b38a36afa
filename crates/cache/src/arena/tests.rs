use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use rustix::fs::sendfile;

use super::{FILES, LEAST, SLOT, backing, join};

fn bytes(seed: u8, len: usize) -> Bytes {
    (0..len).map(|n| (n as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

/// A piece of such memory; where there is none, nothing of it can be tested.
#[track_caller]
fn stored(parts: &[Bytes]) -> Bytes {
    let had =
        "shared memory in small pages that can be given back (docs/operations.md: shmem_enabled)";
    join(parts).unwrap_or_else(|| panic!("this system lacks {had}"))
}

#[test]
fn a_piece_reads_the_same_as_memory_and_as_a_file() {
    let parts = [bytes(1, 1), bytes(2, 70_001), bytes(3, 4096)];
    let joined = stored(&parts);
    assert_eq!(joined, parts.concat());
    let slice = &joined[5..66_000];
    let at = backing(slice).unwrap();
    let mut read = vec![0; slice.len()];
    at.file.read_exact_at(&mut read, at.offset).unwrap();
    assert_eq!(read, slice);
    assert_eq!(backing(&joined).unwrap().offset % SLOT as u64, 0);
}

#[test]
fn only_pieces_of_fitting_size_are_taken() {
    assert!(join(&[bytes(0, LEAST - 1)]).is_none());
    assert!(join(&[bytes(0, SLOT), bytes(0, 1)]).is_none());
    assert!(join(&[bytes(0, LEAST)]).is_some());
    assert_eq!(stored(&[bytes(9, SLOT)]), bytes(9, SLOT));
    assert!(backing(&bytes(0, LEAST)).is_none());
}

#[test]
fn what_a_socket_still_has_to_send_does_not_change_when_its_slot_is_used_again() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let out = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut read = listener.accept().unwrap().0;
    let old = bytes(1, SLOT);
    let piece = stored(std::slice::from_ref(&old));
    let Some(at) = backing(&piece) else { panic!("the piece has no file") };
    let mut from = at.offset;
    let sent = sendfile(&out, at.file, Some(&mut from), SLOT).unwrap();
    assert!(sent > 0);
    drop(piece);
    // Those of other tests may get the slot; what they write is not the old bytes either.
    let new: Vec<_> = (2..20).map(|n| stored(&[bytes(n, SLOT)])).collect();
    (&out).write_all(b"end").unwrap();
    drop(out);
    let mut seen = Vec::new();
    read.read_to_end(&mut seen).unwrap();
    assert!(seen[..sent] == old[..sent], "the socket sent something else");
    assert_eq!(seen[sent..], *b"end");
    assert!((2..20).zip(&new).all(|(n, piece)| *piece == bytes(n, SLOT)));
}

#[test]
fn memory_is_given_back_with_the_last_use() {
    use std::os::unix::fs::MetadataExt;
    let piece = stored(&[bytes(1, SLOT)]);
    let file = backing(&piece).unwrap().file;
    let many: Vec<_> = (0..200).map(|n| stored(&[bytes(n, SLOT)])).collect();
    let full = file.metadata().unwrap().blocks() * 512;
    let clones = many.clone();
    drop(many);
    drop(clones);
    let left = file.metadata().unwrap().blocks() * 512;
    // Other tests hold a few dozen at the same time.
    assert!(full >= left + 100 * SLOT as u64, "{full} bytes, then {left}");
}

#[test]
fn threads_fill_files_of_their_own_and_any_finds_them() {
    let of_a_thread = |seed| {
        let made = std::thread::spawn(move || stored(&[bytes(seed, LEAST)]));
        made.join().unwrap()
    };
    // Threads come one after another to the files, and other tests' are among them.
    let pieces: Vec<_> = (0..64).map(of_a_thread).collect();
    let mut files = HashSet::new();
    for (seed, piece) in (0..).zip(&pieces) {
        let at = backing(piece).unwrap();
        let mut read = vec![0; LEAST];
        at.file.read_exact_at(&mut read, at.offset).unwrap();
        assert_eq!(read, bytes(seed, LEAST));
        files.insert(at.file.as_raw_fd());
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(files.len(), cores.min(FILES));
}
